# SPDX-License-Identifier: Apache-2.0
"""Who somebody is and what is proven of them: trust in issuers, and the clearinghouse of GA4GH passports.

`jwks.KeySets` brings the keys that `decide` needs, `explain.explain` says a decision rule by rule. Neither is imported
here, because they are needed at the edges only.
"""

from megagenome.identity.clearinghouse import decide
from megagenome.identity.model import Decision, Policy, subject_of
from megagenome.identity.trust import Trust

__all__ = ["Decision", "Policy", "Trust", "decide", "subject_of"]
