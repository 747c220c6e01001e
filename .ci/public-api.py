#!/usr/bin/env python3
"""The public API of each library crate, one line an item, and the external crates that appear in it.

public-api.py           compares with docs/api/CRATE.txt, and checks the allow-lists; fails on any difference
public-api.py --write   rewrites docs/api/CRATE.txt
public-api.py CRATE..   only these

Reads rustdoc's JSON, with all features.
An external crate may appear in the API only if the crate's `[package.metadata.public-api] external-types` names it; std is always
allowed. A named crate that no longer appears is an error too.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STD = {"std", "core", "alloc"}


def main():
    write = "--write" in sys.argv
    only = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    metadata = json.loads(output(["cargo", "metadata", "--locked", "--format-version=1", "--no-deps"]))
    packages = [package for package in metadata["packages"] if is_library(package)]
    documents = document(packages, Path(metadata["target_directory"]) / "doc")
    problems = []
    apis = {name: Api(document) for name, document in documents.items()}
    # The modules of the core that are private are nobody's business in a satellite's listing either.
    public = {written: name for api in apis.values() for written, name in api.public_paths()}
    for package in packages:
        name = package["name"]
        if only and name not in only:
            continue
        api = apis[name]
        api.elsewhere = public
        path = ROOT / "docs" / "api" / f"{name}.txt"
        text = "".join(line + "\n" for line in api.lines())
        if write:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            problems += difference(path, text)
        allowed = set((package["metadata"] or {}).get("public-api", {}).get("external-types", []))
        shown = {crate: item for crate, item in sorted(api.external.items()) if crate not in STD}
        for crate in sorted(set(shown) - allowed):
            problems.append(f"{name}: {shown[crate]} is of the crate {crate}, which external-types does not allow")
        for crate in sorted(allowed - set(shown)):
            problems.append(f"{name}: external-types allows {crate}, and nothing public shows it")
    print("\n".join(problems) or "the public API is as listed")
    sys.exit(bool(problems))


def is_library(package):
    kinds = {kind for target in package["targets"] for kind in target["kind"]}
    return package["publish"] != [] and not kinds.isdisjoint({"lib", "proc-macro"})


def output(command, **environment):
    command = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True, stdout=subprocess.PIPE, text=True)
    return command.stdout


def document(packages, folder):
    """Of all crates at once, with all their features: what .ci/run documents too, so nothing is compiled for this alone."""
    options = [f"--package={package['name']}" for package in packages]
    output(["cargo", "doc", "--locked", "--quiet", "--no-deps", "--lib", "--all-features", *options],
           RUSTDOC=str(ROOT / ".ci/unstable-rustdoc"),
           RUSTDOCFLAGS="-Z unstable-options --output-format json --cap-lints allow")
    return {name: json.loads((folder / f"{name.replace('-', '_')}.json").read_text()) for name in (p["name"] for p in packages)}


def difference(path, text):
    import difflib

    old = path.read_text().splitlines() if path.exists() else []
    name = str(path.relative_to(ROOT))
    lines = difflib.unified_diff(old, text.splitlines(), name, "the code", lineterm="", n=0)
    return [*lines, f"if this change of the public API is meant: .ci/public-api.py --write {path.stem}"]


class Api:
    def __init__(self, document):
        self.index = document["index"]
        self.paths = document["paths"]
        self.crates = {number: crate["name"] for number, crate in document["external_crates"].items()}
        self.root = str(document["root"])
        self.name = self.index[self.root]["name"]
        self.external = {}
        self.at = ""
        # The path by which a user names an item, and not the private module that it is in.
        self.public = {}
        # The same of items of the other crates here, by the path of the private module.
        self.elsewhere = {}
        self.found = set()
        self.name_items(self.root, self.name, set())

    def public_paths(self):
        summaries = ((self.paths.get(key), name) for key, name in self.public.items())
        return [("::".join(summary["path"]), name) for summary, name in summaries if summary]

    def lines(self):
        self.module(self.root, self.name, set())
        return sorted(self.found)

    def name_items(self, module, path, seen):
        if module in seen:
            return
        for child in self.index[module]["inner"]["module"]["items"]:
            item = self.index.get(str(child))
            if item is None or self.is_hidden(item):
                continue
            (kind, inner), = item["inner"].items()
            if kind == "use" and item["visibility"] == "public" and inner["id"] is not None:
                target = str(inner["id"])
                if target in self.index:
                    self.public.setdefault(target, f"{path}::{inner['name']}")
                    if "module" in self.index[target]["inner"]:
                        self.name_items(target, f"{path}::{inner['name']}", seen | {module})
            elif item["visibility"] == "public" and item["name"]:
                self.public.setdefault(str(child), f"{path}::{item['name']}")
                if kind == "module":
                    self.name_items(str(child), f"{path}::{item['name']}", seen | {module})

    def module(self, module, path, seen):
        if module in seen:
            return
        if path != self.name:
            self.found.add(f"pub mod {path}")
        for child in self.index[module]["inner"]["module"]["items"]:
            item = self.index.get(str(child))
            if item is None or item["visibility"] != "public" or self.is_hidden(item):
                continue
            (kind, inner), = item["inner"].items()
            if kind == "use":
                target = self.index.get(str(inner["id"])) if inner["id"] is not None else None
                if target is None:
                    self.found.add(f"pub use {inner['source']} as {path}::{inner['name']}")
                    self.see(inner["id"], f"{path}::{inner['name']}")
                else:
                    self.item(target, f"{path}::{inner['name']}", seen | {module})
            else:
                self.item(item, f"{path}::{item['name']}", seen | {module})

    @staticmethod
    def is_hidden(item):
        return any("hidden" in json.dumps(attribute) and "doc" in json.dumps(attribute) for attribute in item["attrs"])

    def item(self, item, path, seen):
        self.at = path
        (kind, inner), = item["inner"].items()
        add = lambda line: self.found.add(self.marks(item) + line)
        if kind == "module":
            self.module(str(item["id"]), path, seen)
        elif kind == "function":
            add(f"pub {self.function(inner, path)}")
        elif kind == "struct":
            add(f"pub struct {path}{self.generics(inner['generics'])}")
            (form, fields), = inner["kind"].items() if isinstance(inner["kind"], dict) else [("unit", None)]
            members = fields if form == "tuple" else (fields or {}).get("fields", []) if form == "plain" else []
            self.fields(members, path)
            self.impls(inner["impls"], path)
        elif kind == "enum":
            add(f"pub enum {path}{self.generics(inner['generics'])}")
            for variant in map(self.get, inner["variants"]):
                self.found.add(self.marks(variant) + f"{path}::{variant['name']}")
                form = variant["inner"]["variant"]["kind"]
                if isinstance(form, dict):
                    (shape, fields), = form.items()
                    self.fields(fields if shape == "tuple" else fields["fields"], f"{path}::{variant['name']}", True)
            self.impls(inner["impls"], path)
        elif kind == "trait":
            bounds = self.bounds(inner["bounds"])
            add(f"pub trait {path}{self.generics(inner['generics'])}{': ' + bounds if bounds else ''}")
            for member in map(self.get, inner["items"]):
                self.member(member, path, inner_trait=True)
            # Of these types, those of others have no entry of their own.
            self.impls([key for key in inner["implementations"] if self.is_shown(key)], path)
        elif kind == "type_alias":
            add(f"pub type {path}{self.generics(inner['generics'])} = {self.type(inner['type'])}")
        elif kind == "constant":
            add(f"pub const {path}: {self.type(inner['type'])}")
        elif kind == "static":
            add(f"pub static {path}: {self.type(inner['type'])}")
        elif kind == "macro":
            add(f"pub macro {path}!")
        elif kind == "proc_macro":
            helpers = f", whose helper attributes are {', '.join(inner['helpers'])}" if inner["helpers"] else ""
            add(f"pub {inner['kind']} macro {path}{helpers}")
        else:
            add(f"pub {kind} {path}")

    def is_shown(self, key):
        """Whether an implementation is for a type that a user can name."""
        item = self.index.get(str(key))
        path = item and item["inner"]["impl"]["for"].get("resolved_path")
        summary = path and self.paths.get(str(path["id"]))
        return item is not None and (not path or str(path["id"]) in self.public or bool(summary) and summary["crate_id"] != 0)

    def get(self, key):
        return self.index[str(key)]

    def marks(self, item):
        return "#[non_exhaustive] " if "non_exhaustive" in json.dumps(item["attrs"]) else ""

    def fields(self, fields, path, of_variant=False):
        for place, key in enumerate(fields):
            field = self.index.get(str(key)) if key is not None else None
            if field is not None and (of_variant or field["visibility"] == "public"):
                name = field["name"] or place
                self.found.add(f"{path}::{name}: {self.type(field['inner']['struct_field'])}")

    def impls(self, impls, path):
        for key in impls:
            item = self.index.get(str(key))
            if item is None:
                continue
            inner = item["inner"]["impl"]
            if inner["is_synthetic"] or inner["blanket_impl"] is not None or self.is_hidden(item):
                continue
            self.at = path
            generics = self.generics(inner["generics"])
            if inner["trait"] is None:
                # The parameters of a `Record<SealOnly>` are part of the method's place.
                of = self.type(inner["for"])
                for member in map(self.get, inner["items"]):
                    if member["visibility"] == "public" and not self.is_hidden(member):
                        self.member(member, of)
            else:
                name = inner["trait"]["path"].split("::")[-1]
                if name.startswith("Structural"):
                    continue
                sign = "!" if inner["is_negative"] else ""
                self.found.add(f"impl{generics} {sign}{self.trait(inner['trait'])} for {self.type(inner['for'])}")
                for member in map(self.get, inner["items"]):
                    if "assoc_type" in member["inner"]:
                        of = self.type(member["inner"]["assoc_type"]["type"])
                        self.found.add(f"  {self.type(inner['for'])} as {self.trait(inner['trait'])}: {member['name']} = {of}")

    def member(self, member, of, inner_trait=False):
        (kind, inner), = member["inner"].items()
        path = f"{of}::{member['name']}"
        self.at = path
        given = " { .. }" if inner_trait and kind == "function" and inner.get("has_body") else ""
        if kind == "function":
            self.found.add(f"pub {self.function(inner, path)}{given}")
        elif kind == "assoc_const":
            self.found.add(f"pub const {path}: {self.type(inner['type'])}")
        elif kind == "assoc_type":
            bounds = self.bounds(inner["bounds"])
            self.found.add(f"pub type {path}{': ' + bounds if bounds else ''}")

    def function(self, function, path):
        header, signature = function["header"], function["sig"]
        words = "".join(f"{word} " for word, on in [("const", header["is_const"]), ("async", header["is_async"]), ("unsafe", header["is_unsafe"])] if on)
        inputs = ", ".join(f"{name}: {self.type(kind)}" for name, kind in signature["inputs"])
        result = f" -> {self.type(signature['output'])}" if signature["output"] else ""
        names, where = self.parts(function["generics"])
        return f"{words}fn {path}{names}({inputs}){result}{where}"

    def generics(self, generics):
        return "".join(self.parts(generics))

    def parts(self, generics):
        names = []
        for parameter in generics["params"]:
            (kind, inner), = parameter["kind"].items()
            if kind == "lifetime":
                names.append(parameter["name"] + (f": {' + '.join(inner['outlives'])}" if inner["outlives"] else ""))
            elif kind == "const":
                names.append(f"const {parameter['name']}: {self.type(inner['type'])}")
            elif not inner["is_synthetic"]:
                bounds = self.bounds(inner["bounds"])
                default = f" = {self.type(inner['default'])}" if inner["default"] else ""
                names.append(parameter["name"] + (f": {bounds}" if bounds else "") + default)
        where = []
        for predicate in generics["where_predicates"]:
            (kind, inner), = predicate.items()
            if kind == "bound_predicate":
                where.append(f"{self.type(inner['type'])}: {self.bounds(inner['bounds'])}")
            elif kind == "lifetime_predicate":
                where.append(f"{inner['lifetime']}: {' + '.join(inner['outlives'])}")
            else:
                where.append(f"{self.type(inner['lhs'])} = {self.term(inner['rhs'])}")
        return (f"<{', '.join(names)}>" if names else "", f" where {', '.join(where)}" if where else "")

    def bounds(self, bounds):
        texts = []
        for bound in bounds:
            (kind, inner), = bound.items()
            if kind == "outlives":
                texts.append(inner)
            elif kind == "trait_bound":
                modifier = {"none": "", "maybe": "?", "maybe_const": "~const "}.get(inner["modifier"], "")
                names = ", ".join(parameter["name"] for parameter in inner["generic_params"])
                for_lifetimes = f"for<{names}> " if names else ""
                texts.append(for_lifetimes + modifier + self.trait(inner["trait"]))
            else:
                texts.append(f"use<{', '.join(str(list(p.values())[0]) if isinstance(p, dict) else str(p) for p in inner)}>")
        return " + ".join(texts)

    def trait(self, trait):
        return self.resolved(trait, trait["path"])

    def resolved(self, path, written):
        self.see(path["id"], self.at)
        name = self.public.get(str(path["id"]))
        if name is None:
            summary = self.paths.get(str(path["id"]))
            name = "::".join(summary["path"]) if summary and summary["crate_id"] != 0 else written
            name = self.elsewhere.get(name, name)
        return name + self.arguments(path.get("args"))

    def see(self, key, at):
        summary = self.paths.get(str(key))
        if summary is not None and summary["crate_id"] != 0:
            self.external.setdefault(self.crates[str(summary["crate_id"])], at)

    def arguments(self, arguments):
        if not arguments:
            return ""
        (kind, inner), = arguments.items() if isinstance(arguments, dict) else [(arguments, None)]
        if kind == "angle_bracketed":
            texts = [self.argument(argument) for argument in inner["args"]]
            for constraint in inner["constraints"]:
                (binding, value), = constraint["binding"].items()
                shown = f" = {self.term(value)}" if binding == "equality" else f": {self.bounds(value)}"
                texts.append(constraint["name"] + self.arguments(constraint["args"]) + shown)
            return f"<{', '.join(texts)}>" if texts else ""
        if kind == "parenthesized":
            result = f" -> {self.type(inner['output'])}" if inner["output"] else ""
            return f"({', '.join(map(self.type, inner['inputs']))}){result}"
        return "(..)"

    def argument(self, argument):
        if argument == "infer":
            return "_"
        (kind, inner), = argument.items()
        return inner if kind == "lifetime" else self.type(inner) if kind == "type" else inner["expr"]

    def term(self, term):
        (kind, inner), = term.items()
        return self.type(inner) if kind == "type" else inner["expr"]

    def type(self, kind):
        if kind == "infer":
            return "_"
        (form, inner), = kind.items()
        if form == "resolved_path":
            return self.resolved(inner, inner["path"])
        if form in ("generic", "primitive"):
            return inner
        if form == "tuple":
            return f"({', '.join(map(self.type, inner))})"
        if form == "slice":
            return f"[{self.type(inner)}]"
        if form == "array":
            return f"[{self.type(inner['type'])}; {inner['len']}]"
        if form == "impl_trait":
            return f"impl {self.bounds(inner)}"
        if form == "dyn_trait":
            texts = [self.trait(part["trait"]) for part in inner["traits"]] + ([inner["lifetime"]] if inner["lifetime"] else [])
            return f"dyn {' + '.join(texts)}"
        if form == "borrowed_ref":
            lifetime = f"{inner['lifetime']} " if inner["lifetime"] else ""
            return f"&{lifetime}{'mut ' if inner['is_mutable'] else ''}{self.type(inner['type'])}"
        if form == "raw_pointer":
            return f"*{'mut' if inner['is_mutable'] else 'const'} {self.type(inner['type'])}"
        if form == "qualified_path":
            of = f"<{self.type(inner['self_type'])} as {self.trait(inner['trait'])}>" if inner["trait"] and inner["trait"]["path"] else self.type(inner["self_type"])
            return f"{of}::{inner['name']}{self.arguments(inner['args'])}"
        if form == "function_pointer":
            signature = inner["sig"]
            result = f" -> {self.type(signature['output'])}" if signature["output"] else ""
            return f"fn({', '.join(self.type(kind) for _, kind in signature['inputs'])}){result}"
        raise SystemExit(f"rustdoc's JSON has the type {form}, which {__file__} does not know")


if __name__ == "__main__":
    main()
