"""Files and formats of other tools of the field, read and written as those tools do.

``linkage_schema`` reads the schema of clkhash, ``clkhash`` encodes rows by it, bit for bit; ``anonlink`` reads and
writes files of filters; ``parquet`` writes encodings and scores as tables, and encodings back; ``followthemoney``
writes matched pairs as entities. None of the exchange's promises hold for these files.
"""
