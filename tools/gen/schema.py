"""Reads the schema text of src/protocol/schemas (described in docs/FORMATS.md) into messages."""
import dataclasses
import pathlib
import re

INFINITE = 32767
PRIMITIVES = {"bool", "int8", "int16", "uint16", "int32", "uint32", "int64", "float64", "uuid"}
VARIABLE = {"string", "bytes", "records"}
KEYWORDS = {"default", "delete", "operator", "class", "public", "private", "register", "new", "template", "union",
            "short", "long", "int", "char", "bool", "switch", "case", "this", "and", "or", "not"}


class SchemaError(Exception):
    pass


def snake(name):
    name = name.replace("KRaft", "Kraft")
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name).lower()


@dataclasses.dataclass
class Field:
    name: str
    type: str                  # without [] and ?
    is_array: bool
    span: tuple                # versions that have it
    nullable: tuple = None     # versions in which it may be null
    tag: int = None
    tagged: tuple = None
    default: str = None        # as written; None for the type's own
    ignorable: bool = False
    key: bool = False
    entity: str = None
    plain: bool = False        # never the compact encoding

    @property
    def member(self):
        name = snake(self.name)
        return name + "_" if name in KEYWORDS else name

    @property
    def json_name(self):
        return self.name[0].lower() + self.name[1:]

    @property
    def is_struct(self):
        return self.type not in PRIMITIVES and self.type not in VARIABLE

    @property
    def untagged(self):
        if self.tagged is None:
            return self.span
        return (self.span[0], self.tagged[0] - 1) if self.tagged[0] > self.span[0] else None


@dataclasses.dataclass
class Struct:
    name: str
    fields: list = dataclasses.field(default_factory=list)
    low: int = INFINITE        # versions in which something uses it
    high: int = -1


@dataclasses.dataclass
class Message:
    name: str                  # FetchRequest
    kind: str                  # request response body key value
    page: str                  # schema file, for people
    low: int
    high: int
    unstable: int = None       # first unstable version
    flexible: int = None       # first flexible version
    api_key: int = None        # or the record's type
    fields: list = dataclasses.field(default_factory=list)
    structs: list = dataclasses.field(default_factory=list)  # a struct before those that use it

    @property
    def stem(self):
        return snake(self.name)

    def struct(self, name):
        return next((s for s in self.structs if s.name == name), None)

    @property
    def root(self):
        return Struct(self.name, self.fields, self.low, self.high)


@dataclasses.dataclass
class Page:
    path: str
    kind: str                  # api, record or data
    name: str
    number: int = None
    listeners: list = dataclasses.field(default_factory=list)
    messages: list = dataclasses.field(default_factory=list)

    @property
    def folder(self):
        return str(pathlib.PurePath(self.path).parent)


def parse_span(text, high):
    low, dash, last = text.rstrip("+").partition("-")
    return int(low), INFINITE if text.endswith("+") else int(last if dash else low)


def parse_block(words):
    """(low, high, unstable, flexible) of "request 0-6 unstable 6 flexible 2+"."""
    low, _, high = words[1].partition("-")
    rest = dict(zip(words[2::2], words[3::2]))
    unstable = int(rest["unstable"]) if "unstable" in rest else None
    flexible = int(rest["flexible"].rstrip("+")) if "flexible" in rest else None
    return int(low), int(high or low), unstable, flexible


def parse_field(words, message, parent_span):
    name, kind = words[0], words[1]
    rest = words[2:]
    nullable = kind.endswith("?")
    kind = kind.rstrip("?")
    span = parent_span
    if rest and re.fullmatch(r"\d+(-\d+|\+)?", rest[0]):
        span = parse_span(rest.pop(0), message.high)
    field = Field(name, kind.removeprefix("[]"), kind.startswith("[]"), span)
    if nullable:
        field.nullable = span
    while rest:
        word = rest.pop(0)
        if word == "=":
            field.default = rest.pop(0)
        elif word == "tag":
            field.tag = int(rest.pop(0))
            field.tagged = field.tagged or span
        elif word == "tagged":
            field.tagged = parse_span(rest.pop(0), message.high)
        elif word == "null":
            field.nullable = parse_span(rest.pop(0), message.high)
        elif word == "entity":
            field.entity = rest.pop(0)
        elif word in ("ignorable", "key", "plain"):
            setattr(field, word, True)
        else:
            raise SchemaError(f"{message.page}: {name}: unknown word '{word}'")
    return field


def parse_fields(lines, at, depth, message, span):
    """Fields of one depth from lines[at:]; returns them and the index after. Inner structs go to the message."""
    fields = []
    while at < len(lines):
        indent, words = lines[at]
        if indent < depth or words[0] == "struct":
            break
        if indent > depth:
            raise SchemaError(f"{message.page}: '{' '.join(words)}' is indented too far")
        field = parse_field(words, message, span)
        fields.append(field)
        at += 1
        if at < len(lines) and lines[at][0] > depth:
            inner, at = parse_fields(lines, at, depth + 1, message, field.span)
            message.structs.append(Struct(field.type, inner))
    return fields, at


def order_structs(message):
    """A struct before those that use it; every name known."""
    done, names = [], {s.name for s in message.structs}
    if len(names) != len(message.structs):
        raise SchemaError(f"{message.page}: {message.name} describes a struct twice")

    def visit(struct):
        if any(struct is one for one in done):
            return
        for field in struct.fields:
            if field.is_struct:
                if field.type not in names:
                    raise SchemaError(f"{message.page}: {field.name}: unknown type {field.type}")
                visit(message.struct(field.type))
        done.append(struct)

    for struct in message.structs:
        visit(struct)
    root = message.root
    visit(root)
    done.remove(root)
    message.structs = done
    for user in [root] + done[::-1]:
        for field in user.fields:
            if field.is_struct:
                used = message.struct(field.type)
                used.low = min(used.low, max(user.low, field.span[0]))
                used.high = max(used.high, min(user.high, field.span[1]))


def parse_page(path, text):
    page, blocks = None, []
    for raw in text.splitlines():
        line = raw.split("#")[0].rstrip()
        if not line:
            continue
        indent = (len(line) - len(line.lstrip())) // 2
        words = line.split()
        if page is None:
            number = int(words[1]) if words[0] != "data" else None
            page = Page(path, words[0], words[-1], number)
        elif indent == 0 and words[0] == "listeners":
            page.listeners = words[1:]
        elif indent == 0:
            blocks.append((words, []))
        else:
            blocks[-1][1].append((indent, words))
    for words, lines in blocks:
        page.messages.append(parse_message(page, words, lines))
    return page


def parse_message(page, words, lines):
    kind = words[0]
    suffix = {"request": "Request", "response": "Response", "key": "Key", "value": "Value", "body": ""}[kind]
    low, high, unstable, flexible = parse_block(words)
    message = Message(page.name + suffix, kind, page.path, low, high, unstable, flexible, page.number)
    span = (low, INFINITE)
    message.fields, at = parse_fields(lines, 0, 1, message, span)
    while at < len(lines):
        name = lines[at][1][1]
        inner, at = parse_fields(lines, at + 1, 2, message, span)
        message.structs.append(Struct(name, inner))
    order_structs(message)
    return message


def load(folder):
    root = pathlib.Path(folder)
    return [parse_page(str(path.relative_to(root)), path.read_text()) for path in sorted(root.rglob("*.txt"))]
