"""Writes the JSON form of one message, and the table of all of them."""
from cpp import condition, guarded, is_optional


class JsonEmitter:
    def __init__(self, emitter):
        self.emitter = emitter
        self.message = emitter.message

    def source(self):
        m, parts = self.message, self.emitter.parts
        out = [f"// Generated from schemas/{m.page}; do not edit.", "#include <protocol/json_parts.h>",
               f"#include <protocol/messages/{m.stem}.h>", "", "namespace dohle::protocol {", f"namespace {parts} {{", ""]
        for struct in m.structs + [m.root]:
            out += self.writer(struct) + [""] + self.reader(struct) + [""]
        key = -1 if m.api_key is None else m.api_key
        out += [f"}}  // namespace {parts}", "", "template <>", f"struct json::Form<{m.name}> {{",
                f"  static Json write(const {m.name}& m, std::int16_t version) {{",
                f"    return {parts}::form_of(m, version);", "  }",
                f"  static void read(const Json& node, std::int16_t version, {m.name}& m, Problem& problem) {{",
                f"    {parts}::read_form(node, version, m, problem);", "  }", "};", "",
                f"template Json to_json<{m.name}>(const {m.name}&, std::int16_t);",
                f"template Result<{m.name}> from_json<{m.name}>(const Json&, std::int16_t);",
                f"extern const MessageForms k{m.name}Forms;",
                f"const MessageForms k{m.name}Forms = json::forms<{m.name}>({key});",
                "", "}  // namespace dohle::protocol", ""]
        return "\n".join(out)

    def writer(self, struct):
        unused = "[[maybe_unused]] "
        out = [f"static Json form_of({unused}const {struct.name}& m, {unused}std::int16_t version) {{",
               "  Json::Object o;"]
        for field in struct.fields:
            put = f'o.emplace_back("{field.json_name}", {self.expression(field)});'
            if field.untagged:
                out += ["  " + line for line in guarded(condition(field.untagged, struct), [put])]
            if field.tagged:
                test = condition(field.tagged, struct)
                test = (test + " && " if test else "") + self.emitter.non_default(field)
                out += ["  " + line for line in guarded(test, [put])]
        return out + ["  return Json(std::move(o));", "}"]

    def expression(self, field):
        target = f"m.{field.member}"
        if not field.is_struct:
            return f"json::of({target})"
        if field.is_array:
            return f"json::of({target}, version, form_of)"
        if is_optional(field):
            return f"{target} ? form_of(*{target}, version) : Json()"
        return f"form_of({target}, version)"

    def reader(self, struct):
        unused = "[[maybe_unused]] "
        out = [f"static void read_form({unused}const Json& node, {unused}std::int16_t version, "
               f"{unused}{struct.name}& m, {unused}json::Problem& p) {{",
               f'  if (node.as_object() == nullptr) return p.say("{struct.name}", "expected an object");']
        for field in struct.fields:
            mandatory = "false"
            if field.untagged:
                mandatory = condition(field.untagged, struct) or "true"
            out.append(f'  if (const Json* n = json::member(node, "{field.json_name}", {mandatory}, p)) {{')
            out += ["    " + line for line in self.read_statement(field)] + ["  }"]
        return out + ["}"]

    def read_statement(self, field):
        target = f"m.{field.member}"
        if not field.is_struct:
            return [f'json::read(*n, "{field.json_name}", {target}, p);']
        if field.is_array:
            return [f'json::read(*n, "{field.json_name}", version, {target}, p, read_form);']
        if is_optional(field):
            return ["if (n->is_null()) {", f"  {target}.reset();", "} else {",
                    f"  read_form(*n, version, {target}.emplace(), p);", "}"]
        return [f"read_form(*n, version, {target}, p);"]


def table(messages):
    names = sorted(m.name for m in messages)
    declarations = "".join(f"extern const MessageForms k{name}Forms;\n" for name in names)
    rows = "".join(f"    &k{name}Forms,\n" for name in names)
    return ("// Generated from the schemas; do not edit.\n#include <algorithm>\n#include <span>\n\n#include <protocol/json.h>\n\n"
            f"namespace dohle::protocol {{\n\n{declarations}\n"
            "std::span<const MessageForms* const> all_messages() {\n"
            f"  static const MessageForms* const kAll[] = {{\n{rows}  }};\n  return kAll;\n}}\n\n"
            "const MessageForms* find_message(std::string_view name) {\n"
            "  const auto found = std::ranges::lower_bound(all_messages(), name, {}, [](const MessageForms* forms) { return forms->name; });\n"
            "  return found != all_messages().end() && (*found)->name == name ? *found : nullptr;\n}\n\n"
            "}  // namespace dohle::protocol\n")
