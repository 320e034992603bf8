# SPDX-License-Identifier: Apache-2.0
"""Who somebody is and what is proven of them: sign-in, sessions and roles; trust in issuers, and the clearinghouse of
GA4GH passports.

`jwks.KeySets` brings the keys that `decide` needs, `explain.explain` says a decision rule by rule. These and all of
signing in are imported by their modules' names, because they are needed at the edges only.
"""

from megagenome.identity.clearinghouse import decide
from megagenome.identity.model import Decision, Policy, subject_of
from megagenome.identity.trust import Trust

__all__ = ["Decision", "Policy", "Trust", "decide", "subject_of"]
