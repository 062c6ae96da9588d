"""Writes what spans messages: the enum of API keys, the table of APIs, and one variant for each family of records."""

HEADER = "// Generated from the schemas; do not edit.\n"
# Families of records that share one topic: folder -> (file stem, what one is called)
FAMILIES = {"record/metadata": ("metadata", "Metadata"), "record/group": ("group", "Group"),
            "record/share": ("share", "Share"), "record/transaction": ("transaction", "Transaction")}


def apis(pages):
    return sorted((p for p in pages if p.kind == "api"), key=lambda p: p.number)


def api_key_header(pages):
    rows = "\n".join(f"  k{page.name} = {page.number}," for page in apis(pages))
    return (f"{HEADER}#pragma once\n\n#include <cstdint>\n\nnamespace dohle::protocol {{\n\n"
            f"enum class ApiKey : std::int16_t {{\n{rows}\n}};\n\n}}  // namespace dohle::protocol\n")


def api_table_source(pages):
    rows = []
    for page in apis(pages):
        request, response = page.messages
        stable = request.unstable - 1 if request.unstable is not None else request.high
        flexible = [32767 if m.flexible is None else m.flexible for m in (request, response)]
        listeners = ["true" if name in page.listeners else "false" for name in ("broker", "controller")]
        rows.append(f'    {{{page.number}, "{page.name}", {request.low}, {stable}, {request.high}, {flexible[0]}, '
                    f'{flexible[1]}, {listeners[0]}, {listeners[1]}}},')
    return (f"{HEADER}#include <protocol/api_table.h>\n\nnamespace dohle::protocol {{\nnamespace {{\n"
            f"constexpr ApiInfo kApis[] = {{\n" + "\n".join(rows) + "\n};\n}  // namespace\n\n"
            "std::span<const ApiInfo> api_table() { return kApis; }\n\n}  // namespace dohle::protocol\n")


def variant(name, messages):
    return f"using {name} = std::variant<" + ",\n    ".join(m.name for m in messages) + ">;\n"


def family_header(stem, title, bodies, keys, values):
    includes = "".join(f"#include <protocol/messages/{m.stem}.h>\n" for m in bodies + keys + values)
    text = f"{HEADER}#pragma once\n\n#include <variant>\n\n{includes}\nnamespace dohle::protocol {{\n\n"
    for name, messages in ((f"{title}Record", bodies), (f"{title}RecordKey", keys), (f"{title}RecordValue", values)):
        if not messages:
            continue
        text += variant(name, messages)
        text += (f"// The record of a type number; kUnsupported for an unknown type or version.\n"
                 f"[[nodiscard]] Result<{name}> decode_{stem}_{suffix(name, title)}"
                 f"(std::int16_t type, Reader& reader, std::int16_t version);\n\n")
    return text + "}  // namespace dohle::protocol\n"


def suffix(name, title):
    return {"Record": "record", "RecordKey": "record_key", "RecordValue": "record_value"}[name.removeprefix(title)]


def family_source(stem, title, bodies, keys, values):
    text = (f"{HEADER}#include <protocol/{stem}_records.h>\n\n#include <protocol/wire.h>\n\n"
            "namespace dohle::protocol {\n\n")
    for name, messages in ((f"{title}Record", bodies), (f"{title}RecordKey", keys), (f"{title}RecordValue", values)):
        if not messages:
            continue
        text += (f"Result<{name}> decode_{stem}_{suffix(name, title)}"
                 "(std::int16_t type, Reader& reader, std::int16_t version) {\n  switch (type) {\n")
        for message in messages:
            text += f"    case {message.api_key}: return {message.name}::decode(reader, version);\n"
        text += f'    default: return wire::unknown_type("{name}", type);\n  }}\n}}\n\n'
    return text + "}  // namespace dohle::protocol\n"


def outputs(pages):
    files = {"include/protocol/api_key.h": api_key_header(pages), "api_table_data.cc": api_table_source(pages)}
    for folder, (stem, title) in FAMILIES.items():
        messages = [m for p in pages if p.folder == folder for m in p.messages]
        messages.sort(key=lambda m: m.api_key)
        kinds = [[m for m in messages if m.kind == kind] for kind in ("body", "key", "value")]
        files[f"include/protocol/{stem}_records.h"] = family_header(stem, title, *kinds)
        files[f"{stem}_records.cc"] = family_source(stem, title, *kinds)
    return files
