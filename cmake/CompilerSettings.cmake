# Warnings are errors; asserts (DOHLE_CHECK) do not depend on NDEBUG.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
add_compile_options(-Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                    -Wimplicit-fallthrough -Wno-missing-field-initializers -Wno-missing-designated-field-initializers -msse4.2 -fno-omit-frame-pointer)
if(DOHLE_SANITIZE)
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -gline-tables-only")  # what runs under sanitizers is worth the longer compile
else()
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -gline-tables-only")
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2")

# What runs often, as tools/dev/profile.py saw it: docs/decisions/007-profile.md. Functions that have changed since go without.
set(DOHLE_PROFILE "use" CACHE STRING "use, make or off")
set(DOHLE_PROFILE_FILE ${CMAKE_CURRENT_LIST_DIR}/dohle.profdata)
if(DOHLE_PROFILE STREQUAL "make")
  add_compile_options(-fprofile-generate)
  add_link_options(-fprofile-generate)
elseif(DOHLE_PROFILE STREQUAL "use" AND CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang"
       AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 19 AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 20)
  # Under a name of its own, so that another profile is another command for each object.
  file(MD5 ${DOHLE_PROFILE_FILE} DOHLE_PROFILE_HASH)
  string(SUBSTRING ${DOHLE_PROFILE_HASH} 0 8 DOHLE_PROFILE_HASH)
  configure_file(${DOHLE_PROFILE_FILE} ${CMAKE_BINARY_DIR}/dohle-${DOHLE_PROFILE_HASH}.profdata COPYONLY)
  add_compile_options(-fprofile-use=${CMAKE_BINARY_DIR}/dohle-${DOHLE_PROFILE_HASH}.profdata -Wno-profile-instr-out-of-date -Wno-profile-instr-unprofiled -Wno-backend-plugin)
endif()

find_program(DOHLE_MOLD mold)
if(DOHLE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(DOHLE_CCACHE ccache)
if(DOHLE_CCACHE)
  # Paths relative to the checkout: one cache serves all checkouts on a machine.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${DOHLE_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
endif()

set(DOHLE_UNIT_TIMEOUT_S 300)
if(DOHLE_SANITIZE)
  set(DOHLE_UNIT_TIMEOUT_S 1800)
endif()
if(DOHLE_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
elseif(DOHLE_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
endif()
if(DOHLE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
