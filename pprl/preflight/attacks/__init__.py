"""Attacks that an owner runs on his own encodings before they leave.

Whoever sees encodings is supposed to know how they were made (`scheme`): fields, tokens, bits a token, hardening,
everything but the key. Each attack is a plain function that ends in a `Finding`: what was tried, what the attacker
must have, how many of how many people it named. `examine` runs them for the agreed hardening and for the others, with
what each costs in people not found again.

Nothing here needs the owner's linkage key: keys are drawn for the attacks, and one key is as good as another. It never
reads what somebody else encoded. That no attack tried here succeeds proves nothing about those that were not tried.
"""
