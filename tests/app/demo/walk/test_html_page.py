# SPDX-License-Identifier: Apache-2.0
"""What a browser without a screen reads from a page."""

from megagenome.app.demo.walk.html_page import Form, parse_html

PAGE = """<!doctype html><html><head><title>no part of it</title></head><body><header><a href="/">Home</a></header>
<main><h1>A <em>heading</em></h1>
<p>Some
   text.</p><script>not this</script>
<a href="/next?a=1&amp;b=2"> Go <span>on</span> </a><a href="/other">Go on</a>
<form method="post" action="/do" enctype="multipart/form-data">
<input type="hidden" name="csrf" value="t&amp;k"><input name="title" value="old"><input name="empty">
<input type="checkbox" name="uses" value="a" checked><input type="checkbox" name="uses" value="b">
<input type="checkbox" name="uses" value="c" checked><input type="radio" name="vote" value="yes">
<textarea name="why">
 first
second</textarea>
<select name="country"><option value="">any</option><option value="FI" selected>Finland</option></select>
<input type="file" name="file:plan"><button type="submit" name="then" value="on">Save</button></form>
<form><input name="q" value="x"></form></main></body></html>"""


def test_forms_send_what_a_browser_would() -> None:
    first, second = parse_html(PAGE).forms
    assert first == Form(
        "/do",
        "post",
        True,
        {
            "csrf": ["t&k"],
            "title": ["old"],
            "empty": [""],
            "uses": ["a", "c"],
            "why": [" first\nsecond"],
            "country": ["FI"],
        },
    )
    assert second == Form("", "get", False, {"q": ["x"]})


def test_links_and_texts() -> None:
    content = parse_html(PAGE)
    assert content.links == {"Home": "/", "Go on": "/next?a=1&b=2"}
    assert content.heading == "A heading"
    assert content.text.startswith("A heading Some text. Go on Go on")
    assert "not this" not in content.text
