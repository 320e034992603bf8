# SPDX-License-Identifier: Apache-2.0
"""Who somebody is and what is proven of them: sign-in, sessions and roles; trust in issuers, and the clearinghouse of
GA4GH passports (`clearinghouse.decide`; `jwks.KeySets` brings the keys that it needs, `explain.explain` says a decision
rule by rule). Nothing is imported here: whoever reads settings would then wait for cryptography.
"""
