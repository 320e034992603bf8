# SPDX-License-Identifier: Apache-2.0
"""How a node took part, in words: one for the badge, one sentence for the reader."""

from collections import Counter
from collections.abc import Iterable

from megagenome.portal.numbers import plural
from megagenome.standards.federation import NodeAnswer, NodeState, NodeStatus

BADGES = {
    NodeStatus.ANSWERED: "answered",
    NodeStatus.WITHHELD: "withheld",
    NodeStatus.LATE: "too late",
    NodeStatus.UNREACHABLE: "not reachable",
    NodeStatus.REFUSED: "refused",
    NodeStatus.FAULTY: "faulty",
}
SPOKE = (NodeStatus.ANSWERED, NodeStatus.WITHHELD)
"""A node with one of these gave a whole answer; with any other its people are simply not in the numbers."""

_SENTENCES = {
    NodeStatus.LATE: "It did not answer in time",
    NodeStatus.UNREACHABLE: "It could not be reached",
    NodeStatus.REFUSED: "It declined this question",
    NodeStatus.FAULTY: "Its answer was not what it must be and is not used",
}
_LONGEST_MESSAGE = 220


def explain(node: NodeAnswer) -> str:
    """One sentence on the node's part, with its own message where it gave one."""
    if node.status is NodeStatus.WITHHELD:
        if node.floor is None:
            return "Nothing that it may tell you: too few people, data that are not open to you, or none at all."
        return f"Either fewer than {node.floor} or none at all: nobody can tell which."
    if node.status is NodeStatus.ANSWERED:
        return node_message(node) or (
            "Nothing found; it tells every count, so this means none." if told_none(node) else ""
        )
    return ": ".join(filter(None, (_SENTENCES[node.status], node_message(node))))


def told_none(node: NodeAnswer) -> bool:
    """True when the node told that there is nothing: it answered, found nothing, and withholds nothing."""
    told = node.frequencies or node.count or any(dataset.told for dataset in node.datasets)
    return node.status is NodeStatus.ANSWERED and not told


def node_message(node: NodeAnswer | NodeState) -> str:
    """The node's own message in one line of bounded length; it is untrusted text and escaped like any other."""
    message = " ".join(node.message.split())
    return message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1].rstrip() + "…"


def summary(nodes: Iterable[NodeAnswer]) -> str:
    """`4 nodes answered, 1 withheld, 2 too late`: every status that occurs, in a fixed order."""
    found = Counter(node.status for node in nodes)
    parts = [(found[status], word) for status, word in BADGES.items() if found[status]]
    if not parts:
        return "No node takes part in this network yet"
    (first, word), *rest = parts
    return ", ".join([f"{plural(first, 'node')} {word}", *(f"{times} {word}" for times, word in rest)])


def missing(nodes: Iterable[NodeAnswer]) -> list[NodeAnswer]:
    """The nodes whose people are not in the numbers because they gave no whole answer."""
    return [node for node in nodes if node.status not in SPOKE]
