#!/usr/bin/env python3
"""Generates C++ from src/protocol/schemas.

    generate.py --schemas DIR --out DIR [--list] [--stamp FILE]

Writes only files whose text changed. --list prints what would be written, one path a line, and writes nothing.
"""
import argparse
import pathlib

import cpp
import json_form
import schema
import tables


def outputs(pages):
    files = {}
    for page in pages:
        for message in page.messages:
            emitter = cpp.Emitter(message)
            files[f"include/protocol/messages/{message.stem}.h"] = emitter.header(message.kind == "request")
            files[f"messages/{message.stem}.cc"] = emitter.source()
            files[f"json/{message.stem}_json.cc"] = json_form.JsonEmitter(emitter).source()
    files["json/all_messages.cc"] = json_form.table([m for page in pages for m in page.messages])
    files.update(tables.outputs(pages))
    return files


def write_changed(path, text):
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schemas", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--stamp")
    arguments = parser.parse_args()
    files = outputs(schema.load(arguments.schemas))
    out = pathlib.Path(arguments.out)
    if arguments.list:
        print("\n".join(str(out / name) for name in sorted(files)))
        return
    for name, text in files.items():
        write_changed(out / name, text)
    if arguments.stamp:
        pathlib.Path(arguments.stamp).touch()


if __name__ == "__main__":
    main()
