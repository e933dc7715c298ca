"""Files and formats of other tools of the field, read and written as those tools do.

``linkage_schema`` reads the schema of clkhash, ``clkhash`` encodes rows by it, bit for bit; ``parquet`` puts encodings
and scores into columns, and encodings back. None of the exchange's promises hold for what is made here.
"""
