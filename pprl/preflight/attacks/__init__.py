"""Attacks that an owner runs on their own encodings before they leave the machine.

The attacker knows how encodings are made (`scheme`): fields, tokens, bits per token, hardening, everything but the key.
Each attack is a plain function that returns an `AttackResult`: what was tried, what the attacker needs, and how many
people were named out of how many. `pprl.preflight.risk` runs them for the agreed hardening and for the others.

Nothing here needs the owner's linkage key: keys are drawn for the attacks, and one key is as good as another. Nothing
that somebody else encoded is read. If no attack tried here succeeds, that proves nothing about attacks not tried.
"""
