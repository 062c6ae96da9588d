#!/usr/bin/env python3
"""Lifts the facts of Kafka's message definitions into this repository's schema text (docs/FORMATS.md).

    lift_schemas.py FROM... --out src/protocol/schemas

FROM is any number of published Kafka jars, or directories to search for *.json. Only facts are taken: names, types,
versions, defaults, tags. Sentences are not. Run it again when Kafka releases, and read the diff.
"""
import argparse
import json
import pathlib
import re
import zipfile

# Records whose folder and number do not follow from the definition itself.
CONTROL = {"AbortedTxn", "LeaderChangeMessage", "SnapshotHeaderRecord", "SnapshotFooterRecord", "KRaftVersionRecord",
           "VotersRecord", "EndTxnMarker", "ControlRecordTypeSchema"}
EMBEDDED = {"ConsumerProtocolSubscription", "ConsumerProtocolAssignment", "DefaultPrincipalData"}
FILES = {"QuorumStateData", "ProducerSnapshot"}
INFINITE = 32767


def snake(name):
    name = name.replace("KRaft", "Kraft")
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name).lower()


def parse_json(text):
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))


def definitions(sources):
    for source in sources:
        path = pathlib.Path(source)
        if path.is_dir():
            for file in sorted(path.rglob("*.json")):
                yield source, parse_json(file.read_text())
        else:
            with zipfile.ZipFile(path) as jar:
                for name in sorted(jar.namelist()):
                    if name.endswith(".json") and re.search(r"(^|/)(message|metadata)/", name):
                        yield path.name, parse_json(jar.read(name).decode())


def versions(text):
    """(low, high), or None for "none"."""
    if text is None or text == "none":
        return None
    if text.endswith("+"):
        return int(text[:-1]), INFINITE
    low, _, high = text.partition("-")
    return int(low), int(high or low)


def cut(a, b):
    if a is None or b is None:
        return None
    low, high = max(a[0], b[0]), min(a[1], b[1])
    return (low, high) if low <= high else None


def show(span, valid):
    if span[1] >= valid[1]:
        return f"{span[0]}+"
    return str(span[0]) if span[0] == span[1] else f"{span[0]}-{span[1]}"


def default_text(field):
    value = field.get("default")
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        value = "true" if value else "false"
    value = str(value)
    if field["type"].startswith(("int", "uint")):
        value = str(int(value, 0))
        return None if value == "0" else value
    if field["type"] == "bool":
        value = value.lower()
        return None if value == "false" else value
    return value


def field_lines(fields, valid, depth):
    lines = []
    for field in fields:
        tagged = versions(field.get("taggedVersions"))
        all_versions = versions(field.get("versions")) or tagged
        span = cut(all_versions, valid)
        if span is None:
            continue  # gone together with the versions that had it
        nullable = cut(versions(field.get("nullableVersions")), span)
        tagged = cut(tagged, span)
        kind = field["type"] + ("?" if nullable == span else "")
        attributes = []
        if nullable and nullable != span:
            attributes.append("null " + show(nullable, valid))
        if tagged:
            attributes.append(f"tag {field['tag']}")
            if tagged != span:
                attributes.append("tagged " + show(tagged, valid))
        default = default_text(field)
        if default is not None:
            attributes.append("= " + default)
        if field.get("ignorable"):
            attributes.append("ignorable")
        if field.get("mapKey"):
            attributes.append("key")
        if field.get("entityType"):
            attributes.append("entity " + field["entityType"])
        if field.get("flexibleVersions") == "none":
            attributes.append("plain")
        where = "" if span == valid else show(span, valid)
        lines.append(("  " * depth + field["name"], kind, where, " ".join(attributes)))
        lines += field_lines(field.get("fields") or [], span, depth + 1)
    return lines


def block(kind, spec):
    valid = versions(spec["validVersions"])
    head = f"{kind} {valid[0]}" + (f"-{valid[1]}" if valid[1] != valid[0] else "")
    if spec.get("latestVersionUnstable"):
        head += f" unstable {valid[1]}"
    flexible = versions(spec.get("flexibleVersions"))
    if flexible:
        head += f" flexible {flexible[0]}+"
    rows = field_lines(spec["fields"], valid, 1)
    structs = []
    for struct in spec.get("commonStructs") or []:
        span = cut(versions(struct["versions"]), valid)
        if span:
            structs.append((struct["name"], field_lines(struct["fields"], span, 2)))
    everything = rows + [row for _, inner in structs for row in inner]
    widths = [max([len(row[i]) for row in everything] or [0]) for i in range(3)]

    def render(row):
        return "  ".join(cell.ljust(width) for cell, width in zip(row, widths + [0])).rstrip()

    out = [head] + [render(row) for row in rows]
    for name, inner in structs:
        out += [f"  struct {name}"] + [render(row) for row in inner]
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    out = pathlib.Path(arguments.out)
    requests, responses, keys, values, pages = {}, {}, {}, {}, {}
    for source, spec in definitions(arguments.sources):
        if "fields" not in spec or versions(spec.get("validVersions")) is None:
            continue  # an API that is gone
        kind, name = spec["type"], spec["name"]
        owner = next((o for o in ("group", "share", "transaction", "storage", "server", "streams") if o in source), "")
        if kind == "request":
            requests[spec["apiKey"]] = spec
        elif kind == "response":
            responses[spec["apiKey"]] = spec
        elif kind == "coordinator-key":
            keys[owner, spec["apiKey"]] = spec
        elif kind == "coordinator-value":
            values[owner, spec["apiKey"]] = spec
        elif kind == "metadata":
            folder = "remote_log" if owner == "storage" else "metadata"
            stem = snake(name.removesuffix("Record"))
            pages[f"record/{folder}/{spec['apiKey']:02}_{stem}.txt"] = (
                f"record {spec['apiKey']} {name}\n" + block("body", spec))
        else:
            folder = ("header" if kind == "header" else "control" if name in CONTROL else
                      "embedded" if name in EMBEDDED else "file" if name in FILES else None)
            if folder is None:
                raise SystemExit(f"{name}: say in this script where it belongs")
            folder = folder if folder in ("file", "header") else "record/" + folder
            name += "Data" if kind == "header" else ""  # RequestHeader is what protocol/header.h makes of it
            pages[f"{folder}/{snake(name)}.txt"] = f"data {name}\n" + block("body", spec)
    for key, request in sorted(requests.items()):
        name = request["name"].removesuffix("Request")
        pages[f"api/{key:02}_{snake(name)}.txt"] = (
            f"api {key} {name}\nlisteners {' '.join(request['listeners'])}\n\n"
            f"{block('request', request)}\n{block('response', responses[key])}")
    for (owner, key), spec in sorted(keys.items()):
        name = spec["name"].removesuffix("Key")
        page = f"record {key} {name}\n" + block("key", spec)
        if (owner, key) in values:
            page += block("value", values.pop((owner, key)))
        pages[f"record/{owner}/{key:02}_{snake(name)}.txt"] = page
    if values:
        raise SystemExit(f"values without a key: {sorted(values)}")
    for name, text in pages.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    print(f"{len(pages)} schema files")


if __name__ == "__main__":
    main()
