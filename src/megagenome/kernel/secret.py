# SPDX-License-Identifier: Apache-2.0
"""A secret that does not tell itself: in no log, no error message, no answer of a program."""


class Secret:
    """A text such as a client secret. Every way of showing it is masked; `reveal` says it where it is needed."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret('…')" if self._text else "Secret('')"

    def __reduce__(self) -> tuple[type["Secret"], tuple[str]]:
        raise TypeError("a secret is not written anywhere")
