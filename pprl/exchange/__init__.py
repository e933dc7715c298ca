"""The exchange: three parties who never meet, with files.

``primitives`` every cryptographic call · ``statements`` signed files · ``cards`` keys and words · ``keystore`` what
stays secret · ``agreement`` terms and the linkage key · ``commitments`` what is fixed before it is seen · ``package``
encodings, sealed · ``matter`` the folder of a party and what is due in it.

``docs/protocol.md`` specifies every byte and numbers the steps of verification that the code names. Nothing here can
reach a roster but ``parties.owner``.
"""
