# SPDX-License-Identifier: Apache-2.0
"""What a browser calls itself, in two words that its owner knows it by."""

_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
"""In this order: each later name is also in what an earlier one calls itself."""
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_LONGEST = 60


def browser_name(agent: str) -> str:
    """`Firefox on Windows` of a User-Agent; what is not known as it calls itself, shortened. Not to be trusted."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    return (agent if len(agent) <= _LONGEST else f"{agent[:_LONGEST]}…") or "unknown"
