"""Who is let in, over what: certificates and tokens from files, who a caller is, and which models are shown to whom.

Read in this order: `options` (what may be combined), `certificates`, `tokens`, `reloading`, `callers`, `doorkeeper`
(refuses before anything is read), `healthguard`, `probe`, `access` (everything put together).
"""
