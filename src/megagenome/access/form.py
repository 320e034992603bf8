# SPDX-License-Identifier: Apache-2.0
"""Application forms are documents (`forms/*.json`), not code: sections, fields, texts by language, and what each needs.

A released document is never edited: a change is a file with the next version, and applications keep the one that they
were begun with. The templates of Regulation (EU) 2025/327 (EHDS), Article 70, will be such files.
"""

import hashlib
from functools import cache
from importlib import resources

import msgspec

from megagenome.kernel.errors import Corrupt, Invalid, NotFound
from megagenome.standards.application import FormRef
from megagenome.standards.application_form import Field, FieldType, Form


def forms() -> tuple[FormRef, ...]:
    """All forms, oldest version first."""
    return tuple(_documents())


def newest_form(form: str) -> FormRef:
    """The version of a form with which new applications begin. Raises `NotFound`."""
    versions = [ref for ref in _documents() if ref.id == form]
    if not versions:
        raise NotFound(f"there is no form {form[:100]!r}; GET /access/forms lists them")
    return versions[-1]


def form_of(form: str, version: str) -> FormRef:
    """One version of a form. Raises `NotFound`."""
    for ref in _documents():
        if (ref.id, ref.version) == (form, version):
            return ref
    raise NotFound(f"there is no form {form[:100]!r} of version {version[:20]!r}; GET /access/forms lists them")


def read_form(ref: FormRef) -> Form:
    """The document that `ref` names. Raises `Corrupt` where the installed one is another."""
    found = _documents().get(ref)
    if found is None:
        raise Corrupt(f"form {ref.id} {ref.version} is not installed as it was answered ({ref.digest}); reinstall")
    return found


@cache
def _documents() -> dict[FormRef, Form]:
    found = {}
    for file in resources.files("megagenome.access").joinpath("forms").iterdir():
        if file.name.endswith(".json"):
            content = file.read_bytes()
            form = decode_form(content)
            found[FormRef(form.id, form.version, "sha256:" + hashlib.sha256(content).hexdigest())] = form
    return dict(sorted(found.items(), key=lambda item: (item[0].id, tuple(map(int, item[0].version.split("."))))))


def decode_form(content: bytes) -> Form:
    """Read a form document and hold it to its rules. Raises `Invalid` that names the field."""
    try:
        form = msgspec.json.decode(content, type=Form)
    except msgspec.DecodeError as error:
        raise Invalid(f"not a form document: {error}") from None
    earlier: dict[str, Field] = {}
    for field in form.fields():
        if field.id in earlier:
            raise Invalid(f"form {form.id}: field {field.id!r} stands twice")
        if field.visible_if is not None and field.visible_if.field not in earlier:
            raise Invalid(f"form {form.id}: field {field.id!r} depends on {field.visible_if.field!r}, not before it")
        if (field.type in (FieldType.OPTION, FieldType.MULTISELECT)) != bool(field.options):
            raise Invalid(f"form {form.id}: field {field.id!r} needs options exactly if it is a choice")
        earlier[field.id] = field
    texts = [form.title, *(s.title for s in form.sections), *(f.title for f in form.fields())]
    if not all("en" in text for text in texts):
        raise Invalid(f"form {form.id}: every title needs a text in English")
    return form
