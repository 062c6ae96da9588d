"""Writes one message as C++: a header with plain structs, a source with decode and encode."""
from schema import INFINITE

CPP_TYPES = {"bool": "bool", "int8": "std::int8_t", "int16": "std::int16_t", "uint16": "std::uint16_t",
             "int32": "std::int32_t", "uint32": "std::uint32_t", "int64": "std::int64_t", "float64": "double",
             "uuid": "Uuid", "string": "Text", "bytes": "Blob", "records": "Records"}
SIZES = {"bool": 1, "int8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8, "float64": 8, "uuid": 16}
READS = {"bool": "read_bool()", "float64": "read_double()", "uuid": "read_uuid()"}


def element_type(field):
    return CPP_TYPES.get(field.type, field.type)


def value_type(field):
    return f"std::vector<{element_type(field)}>" if field.is_array else element_type(field)


def member_type(field):
    return f"std::optional<{value_type(field)}>" if is_optional(field) else value_type(field)


def is_optional(field):
    return field.nullable is not None


def defaults_to_null(field):
    return is_optional(field) and (field.default == "null" or field.type == "records")


def literal(field):
    """The default as a C++ expression, or None where the type's own will do."""
    if is_optional(field):
        return None if defaults_to_null(field) else value_type(field) + "{}"
    if field.is_array or field.is_struct or field.type in ("uuid", "bytes", "records"):
        return None
    if field.type == "string":
        return f'"{field.default}"' if field.default else None
    if field.type == "bool":
        return field.default or "false"
    if field.type == "float64":
        return field.default or "0"
    value = int(field.default or 0)
    if value == -(2 ** 63):
        return "INT64_MIN"
    if value == -(2 ** 31):
        return "INT32_MIN"
    return str(value)


def condition(span, scope):
    """The C++ test that a version lies in span; "" when every version of the scope, a struct or message, does."""
    tests = []
    if span[0] > scope.low:
        tests.append(f"version >= {span[0]}")
    if span[1] < scope.high:
        tests.append(f"version <= {span[1]}")
    if len(tests) == 2 and span[0] == span[1]:
        tests = [f"version == {span[0]}"]
    return " && ".join(tests)


def guarded(test, statements):
    if not test:
        return statements
    if len(statements) == 1:
        return [f"if ({test}) {statements[0]}"]
    return [f"if ({test}) {{"] + ["  " + s for s in statements] + ["}"]


def span_note(span, scope):
    if span[0] <= scope.low and span[1] >= scope.high:
        return ""
    last = "+" if span[1] >= scope.high else "" if span[0] == span[1] else f"-{span[1]}"
    return f"{span[0]}{last}"


def minimum_size(field, message):
    """Bytes that an element of this array takes at the least, in any version."""
    if field.type in SIZES:
        return SIZES[field.type]
    if field.type in ("string", "bytes"):
        return 1 if message.flexible is not None else {"string": 2, "bytes": 4}[field.type]
    struct = message.struct(field.type)
    total = 1 if message.flexible is not None and message.flexible <= struct.low else 0
    for inner in struct.fields:
        if inner.untagged is None or condition(inner.untagged, struct):
            continue
        if inner.is_array or not (inner.type in SIZES):
            total += 1
        else:
            total += SIZES[inner.type]
    return max(total, 1)


class Emitter:
    def __init__(self, message):
        self.message = message
        self.parts = message.stem + "_parts"
        self.scope = message.root  # the struct that is being written

    @property
    def flexible(self):
        first = self.message.flexible
        if first is None:
            return "false"
        return "true" if first <= self.scope.low else f"version >= {first}"

    # --- header

    def struct_members(self, struct):
        lines = []
        for field in struct.fields:
            value = literal(field)
            note = span_note(field.span, struct)
            text = f"  {member_type(field)} {field.member}" + (f" = {value}" if value else "") + ";"
            lines.append(text + (f"  // {note}" if note else ""))
        if self.message.flexible is not None:
            lines.append("  UnknownTags unknown_tags;")
        return lines

    def header(self, has_response):
        m = self.message
        out = [f"// Generated from schemas/{m.page}; do not edit.", "#pragma once", "",
               "#include <protocol/message.h>", "", "namespace dohle::protocol {", ""]
        if m.structs:
            out.append(f"namespace {self.parts} {{")
            for struct in m.structs:
                out += [f"struct {struct.name} {{"] + self.struct_members(struct)
                out += [f"  friend bool operator==(const {struct.name}&, const {struct.name}&) = default;", "};"]
            out += [f"}}  // namespace {self.parts}", ""]
        if has_response:
            out += [f"struct {m.name.removesuffix('Request')}Response;", ""]
        out.append(f"struct {m.name} {{")
        out += [f"  using {s.name} = {self.parts}::{s.name};" for s in m.structs]
        if has_response:
            out.append(f"  using Response = {m.name.removesuffix('Request')}Response;")
        out += self.constants() + [""] + self.struct_members(m.root)
        out += ["", f"  [[nodiscard]] static Result<{m.name}> decode(Reader& reader, std::int16_t version);",
                "  void encode(Writer& writer, std::int16_t version) const;",
                f"  friend bool operator==(const {m.name}&, const {m.name}&) = default;",
                "};", "", "}  // namespace dohle::protocol", ""]
        return "\n".join(out)

    def constants(self):
        m = self.message
        stable = m.unstable - 1 if m.unstable is not None else m.high
        rows = [("std::string_view kName", f'"{m.name}"')]
        if m.api_key is not None:
            rows.append(("std::int16_t kApiKey" if m.kind in ("request", "response") else "std::int16_t kType", m.api_key))
        rows += [("std::int16_t kMinVersion", m.low), ("std::int16_t kMaxVersion", stable),
                 ("std::int16_t kMaxUnstableVersion", m.high),
                 ("std::int16_t kFirstFlexible", INFINITE if m.flexible is None else m.flexible)]
        return [f"  static constexpr {name} = {value};" for name, value in rows]

    # --- source

    def source(self):
        m = self.message
        out = [f"// Generated from schemas/{m.page}; do not edit.", f"#include <protocol/messages/{m.stem}.h>", "",
               "#include <protocol/wire.h>", "", "namespace dohle::protocol {", f"namespace {self.parts} {{", ""]
        for struct in m.structs + [m.root]:
            out += self.reader(struct) + [""] + self.writer(struct) + [""]
        out += [f"}}  // namespace {self.parts}", "",
                f"Result<{m.name}> {m.name}::decode(Reader& reader, std::int16_t at_version) {{",
                f"  if (at_version < {m.low} || at_version > {m.high}) return wire::unsupported_version(kName, at_version);",
                f"  {m.name} message;", f"  {self.parts}::read(reader, at_version, message);",
                "  if (!reader.ok()) return wire::malformed(kName, at_version);", "  return message;", "}", "",
                f"void {m.name}::encode(Writer& writer, std::int16_t at_version) const {{",
                f"  DOHLE_CHECK(at_version >= {m.low} && at_version <= {m.high});",
                f"  {self.parts}::write(writer, at_version, *this);", "}", "", "}  // namespace dohle::protocol", ""]
        return "\n".join(out)

    def compact(self, field):
        return "false" if field.plain else "flexible"

    def prologue(self, body):
        return [f"  const bool flexible = {self.flexible};"] if any("flexible" in line for line in body) else []

    def parameters(self, stream, struct):
        unused = "[[maybe_unused]] "
        return f"{unused}{stream}& {stream[0].lower()}, {unused}std::int16_t version, {unused}{struct}& m"

    def reader(self, struct):
        self.scope = struct
        body = []
        for field in struct.fields:
            if field.untagged is None:
                continue
            body += guarded(condition(field.untagged, self.scope), self.read_field(field, "r"))
        body += self.read_tags(struct)
        body = ["  " + line for line in body]
        return ([f"static void read({self.parameters('Reader', struct.name)}) {{"]
                + self.prologue(body) + body + ["}"])

    def read_field(self, field, reader):
        target = f"m.{field.member}"
        may_be_null = condition(field.nullable, self.scope) or "true" if is_optional(field) else None
        nullable = f"{may_be_null}, " if may_be_null else ""
        compact = self.compact(field)
        if field.is_array and field.is_struct:
            size = minimum_size(field, self.message)
            return [f"wire::read_array({reader}, version, {compact}, {size}, {nullable}{target}, read);"]
        if field.is_array:
            return [f"wire::read_array({reader}, {compact}, {nullable}{target});"]
        if field.type in ("string", "bytes", "records"):
            return [f"wire::read_{field.type}({reader}, {compact}, {nullable}{target});"]
        if field.is_struct:
            return self.read_struct(field, reader, target, may_be_null)
        return [f"{target} = {reader}.{READS.get(field.type, f'read<{element_type(field)}>()')};"]

    def read_struct(self, field, reader, target, may_be_null):
        if may_be_null is None:
            return [f"read({reader}, version, {target});"]
        absent = f"{reader}.read_uvarint() == 0" if reader != "r" else f"{reader}.read<std::int8_t>() < 0"
        test = absent if may_be_null == "true" else f"({may_be_null}) && {absent}"
        return [f"if ({test}) {{", f"  {target}.reset();", "} else {",
                f"  read({reader}, version, {target}.emplace());", "}"]

    def read_tags(self, struct):
        m = self.message
        if m.flexible is None:
            return []
        tagged = sorted((f for f in struct.fields if f.tagged), key=lambda f: f.tag)
        if not tagged:
            return guarded("" if self.flexible == "true" else "flexible", ["wire::read_unknown_tags(r, m.unknown_tags);"])
        out = ["for (std::uint32_t left = wire::read_tag_count(r); left > 0 && r.ok(); --left) {",
               "  std::uint32_t tag = 0;", "  Reader field = wire::read_tag(r, tag);", "  switch (tag) {"]
        for field in tagged:
            test = condition(field.tagged, self.scope)
            out.append(f"    case {field.tag}:")
            if test and (field.tagged[0] > m.flexible or field.tagged[1] < self.scope.high):
                out.append(f"      if (!({test})) field.set_failed();")
            out += ["      " + line for line in self.read_field(field, "field")]
            out += ["      wire::finish_tag(r, field);", "      break;"]
        out += ["    default:", "      m.unknown_tags.push_back({tag, Blob::view(field.rest())});", "  }", "}"]
        return guarded("" if self.flexible == "true" else "flexible", out)

    def non_default(self, field):
        """C++ test that a field says something."""
        target = f"m.{field.member}"
        if defaults_to_null(field):
            return f"{target}.has_value()"
        if is_optional(field):
            if field.is_struct and not field.is_array:
                return f"!({target} == {member_type(field)}({value_type(field)}{{}}))"
            return f"(!{target} || !{target}->empty())"
        if field.is_array or field.type in ("bytes", "records") or (field.type == "string" and not field.default):
            return f"!{target}.empty()"
        if field.is_struct:
            return f"!({target} == {field.type}{{}})"
        if field.type == "uuid":
            return f"!{target}.is_zero()"
        if field.type == "bool":
            return f"!{target}" if literal(field) == "true" else target
        return f"{target} != {literal(field)}"

    def writer(self, struct):
        self.scope = struct
        body = []
        for field in struct.fields:
            if field.untagged is not None:
                body += guarded(condition(field.untagged, self.scope), self.write_field(field, False))
            absent = self.absent_condition(field)
            if absent and not field.ignorable:
                body.append(f'if (({absent}) && {self.non_default(field)}) w.drop("{struct.name}.{field.name}");')
        body += self.write_tags(struct)
        body = ["  " + line for line in body]
        return ([f"static void write({self.parameters('Writer', 'const ' + struct.name)}) {{"]
                + self.prologue(body) + body + ["}"])

    def absent_condition(self, field):
        present = condition(field.span, self.scope)
        return f"!({present})" if present else ""

    def write_field(self, field, tagged):
        target = f"m.{field.member}"
        may_be_null = condition(field.nullable, self.scope) or "true" if is_optional(field) else None
        nullable = f"{may_be_null}, " if may_be_null else ""
        compact = self.compact(field)
        if field.is_array and field.is_struct:
            return [f"wire::write_array(w, version, {compact}, {nullable}{target}, write);"]
        if field.is_array:
            return [f"wire::write_array(w, {compact}, {nullable}{target});"]
        if field.type in ("string", "bytes", "records"):
            return [f"wire::write_{field.type}(w, {compact}, {nullable}{target});"]
        if field.is_struct:
            return self.write_struct(target, may_be_null, tagged)
        if field.type in ("bool", "uuid", "float64"):
            return [f"w.write_{ {'float64': 'double'}.get(field.type, field.type) }({target});"]
        return [f"w.write({target});"]

    def write_struct(self, target, may_be_null, tagged):
        if may_be_null is None:
            return [f"write(w, version, {target});"]
        if tagged:
            return [f"w.write_uvarint({target} ? 1 : 0);", f"if ({target}) write(w, version, *{target});"]
        return [f"if (wire::write_presence(w, {may_be_null}, {target}.has_value())) write(w, version, *{target});"]

    def write_tags(self, struct):
        m = self.message
        if m.flexible is None:
            return []
        tagged = sorted((f for f in struct.fields if f.tagged), key=lambda f: f.tag)
        if not tagged:
            out = guarded("" if self.flexible == "true" else "flexible", ["wire::write_unknown_tags(w, m.unknown_tags);"])
            return out + self.note_lost_tags()
        out, sum_text = [], "m.unknown_tags.size()"
        for field in tagged:
            test = condition(field.tagged, self.scope)
            if test == self.flexible:
                test = ""
            test = f"{test} && " if test else ""
            out.append(f"const bool has_{field.tag} = {test}{self.non_default(field)};")
            sum_text += f" + has_{field.tag}"
        out.append(f"w.write_uvarint(static_cast<std::uint32_t>({sum_text}));")
        previous = 0
        for field in tagged:
            out += [f"wire::write_tags_between(w, m.unknown_tags, {previous}, {field.tag});",
                    f"if (has_{field.tag}) {{", f"  const auto mark = w.begin_tag({field.tag});"]
            out += ["  " + line for line in self.write_field(field, True)]
            out += ["  w.end_tag(mark);", "}"]
            previous = field.tag
        out.append(f"wire::write_tags_between(w, m.unknown_tags, {previous});")
        return guarded("" if self.flexible == "true" else "flexible", out) + self.note_lost_tags()

    def note_lost_tags(self):
        if self.flexible == "true":
            return []
        return ['if (!flexible && !m.unknown_tags.empty()) w.drop("unknown tags");']
