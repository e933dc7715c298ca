"""The exchange: three parties who never meet compare two rosters by files alone.

- `protocol` the signed and sealed files: `messages` (the table of all kinds and files), `statements`, `cards`,
  `agreement`, `commitments`, `package`, `reveal`, and `crypto` (every cryptographic call).
- `keystore` what a party keeps secret, `linkage_key` how the owners get one key.
- `record` what the statements say, verified in order; `folder` the folder of a party; `next_step` what is due in it.
- `replay` every figure again, from signed scores and opened labels.
- `parties` what each party does, as calls: the Python twin of the commands.

``docs/protocol.md`` specifies every byte and numbers the checks that the code refers to. Only the owners' modules in
`parties` can reach a roster.
"""
