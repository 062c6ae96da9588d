// Command lines: arguments between zero bytes.
#include "options.h"

#include <cstddef>
#include <cstdint>

#include <base/bytes.h>

using namespace dohle;       // NOLINT
using namespace dohle::app;  // NOLINT

namespace {

OptionParser parser() {
  return {"About.",
          {{"flag", Takes::kNothing, "", "A flag."},
           {"text", Takes::kText, "text", "A text.", true},
           {"maybe", Takes::kOptionalText, "text", "With or without."},
           {"texts", Takes::kTexts, "texts", "Many."},
           {"int", Takes::kInt, "number", "A number."},
           {"long", Takes::kLong, "number", "A larger one."}}};
}

void try_parser(const OptionParser& parser, const Arguments& arguments) {
  const auto options = parser.parse(arguments);
  if (!options) {
    static_cast<void>(parser.usage_error(options.error()));
    return;
  }
  static_cast<void>(options->number("int"));
  static_cast<void>(options->number("long"));
  for (const auto name : {"text", "maybe", "texts"}) {
    for (const auto& text : options->all(name)) static_cast<void>(join(split(text, ','), ","));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> texts(1);
  for (const char c : as_text({data, size})) {
    if (c == '\0') {
      texts.emplace_back();
    } else {
      texts.back() += c;
    }
  }
  const Arguments arguments(texts.begin(), texts.end());
  try_parser(parser(), arguments);
  try_parser(parser().in_argparse_words("program"), arguments);
  return 0;
}
