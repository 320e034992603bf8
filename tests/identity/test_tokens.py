# SPDX-License-Identifier: Apache-2.0
import pytest

from megagenome.identity.model import Code
from megagenome.identity.tokens import Refused, check_header, check_signature, read
from megagenome.kernel.jwt import Header, Token
from megagenome.kernel.signatures import Fault


@pytest.mark.parametrize("fault", Fault)
def test_each_fault_of_a_signature_is_a_reason(fault: Fault) -> None:
    assert Code(fault.value).name == fault.name


def token(**header: str) -> Token:
    return Token(Header("ES256", **header), {}, {}, b"a.b", b"")


def test_a_reason_is_a_sentence_with_its_code() -> None:
    with pytest.raises(Refused) as caught:
        check_header(token(typ="x"), {"y"})
    assert (caught.value.code, caught.value.says) == (Code.WRONG_TYP, "Its typ 'x' is another kind of token.")
    with pytest.raises(Refused) as caught:
        check_signature(token(kid="k"), None)
    assert caught.value.code is Code.NO_KEYS
    with pytest.raises(Refused) as caught:
        check_signature(token(), None)
    assert caught.value.code is Code.NO_KID


@pytest.mark.parametrize(("text", "code"), [("x" * 11, Code.TOO_LARGE), ("x.y", Code.MALFORMED)])
def test_what_cannot_be_read_is_refused_before_it_is_asked(text: str, code: Code) -> None:
    with pytest.raises(Refused) as caught:
        read(text, 10)
    assert caught.value.code is code
