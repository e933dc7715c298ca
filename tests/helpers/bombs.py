"""Files that claim, or unpack to, far more than a table of people: each would take gigabytes if it were laid out."""

import gzip
import io
import json
import struct
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq

from helpers import workbooks
from helpers.rosters import HEADER

LONG = 300 << 20
SHORTER = 40 << 20


def repeated_cells():
    """1,350 bytes of ODS, one cell and one row of which stand for a thousand million."""
    row = '<table:table-row table:number-rows-repeated="{}">{}</table:table-row>'
    cell = workbooks.ods_cell("x", ' table:number-columns-repeated="1000"')
    return workbooks.ods(workbooks.ods_rows([HEADER]) + row.format(1_000_000, cell))


def cell_behind_repeated_rows():
    """A filled cell in the last column, behind a million empty rows."""
    gap = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
    far = f'<table:table-row><table:table-cell table:number-columns-repeated="16000"/>{workbooks.ods_cell("x")}'
    return workbooks.ods(workbooks.ods_rows([HEADER]) + gap + far + "</table:table-row>")


def long_cell(opening=b'"', length=LONG):
    """A CSV with a cell of 300 MB: a quotation mark is not closed, or there is no line end."""
    return ";".join(HEADER).encode() + b"\n" + opening + b"x" * length


def many_lines_in_one_row():
    """A row of a CSV that goes on over millions of lines, each of which closes a quotation mark and opens the next."""
    return b'name;born\n"' + b'\n";"' * (10 << 20)


def long_texts(rows=2_000):
    """Eight megabytes of Parquet: one text of 8 MB in every row."""
    out = io.BytesIO()
    text = pa.array(["x" * (8 << 20)])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), text)
    pq.write_table(pa.table({"name": column}), out, compression="none", write_statistics=False)
    return out.getvalue()


def packed_text():
    """A Parquet with 100 MB of one letter in a page of a few kilobytes."""
    out = io.BytesIO()
    table = pa.table({"name": ["x" * (1 << 20)] * 100})
    pq.write_table(table, out, compression="zstd", use_dictionary=False, write_statistics=False, data_page_size=1 << 30)
    return out.getvalue()


def nulls(rows=50_000_000):
    """A Parquet of a few kilobytes with 50 million rows of nothing."""
    out = io.BytesIO()
    with pq.ParquetWriter(out, pa.schema({"name": pa.string(), "born": pa.string()})) as file:
        part = pa.table({name: pa.nulls(rows // 10, pa.string()) for name in ("name", "born")})
        for _ in range(10):
            file.write_table(part, row_group_size=rows)
    return out.getvalue()


def packed_batch():
    """An Arrow stream whose buffers unpack to 100 MB."""
    return workbooks.arrow_stream(["name"], [["x" * (1 << 20)]] * 100, compression="zstd")


def rows_of_nothing():
    """An Arrow file of a column that takes no bytes, with a thousand million rows."""
    out = io.BytesIO()
    batch = pa.RecordBatch.from_arrays([pa.nulls(1_000_000_000)], ["name"])
    with pa.ipc.new_file(out, batch.schema) as file:
        file.write_batch(batch)
    return out.getvalue()


def packed_zeros(size=2 << 30):
    """A GZ of a CSV that is one letter, again and again: 1,000 times as long as it looks."""
    piece = gzip.compress(b"x;y\n" * (16 << 18), mtime=0)
    return piece * (size >> 24)


def zip_bomb():
    """A ZIP with a table that unpacks to 128 MB."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file, file.open("list.csv", "w") as part:
        for _ in range(1 << 3):
            part.write(b"x" * (1 << 24))
    return data.getvalue()


def nested_entity():
    """Entities within entities, a hundred thousand deep."""
    return b'{"id":"a","schema":"Person","properties":' + b'{"x":[' * 100_000


def endless_entity():
    """An entity of 40 MB in one line."""
    return b'{"id":"a","schema":"Person","properties":{"name":["' + b"x" * SHORTER


def wide_entities(people=6_000):
    """Every entity has a property of its own, so that the table is as wide as it is long."""
    return b"".join(
        json.dumps({"id": f"p{at}", "schema": "Person", "properties": {"name": ["x"], f"p{at}": ["x"]}}).encode()
        + b"\n"
        for at in range(people)
    )


def shared_text():
    """An XLSX with a text of 30,000 letters in 100,000 cells: 3 GB once each has its own."""
    parts = workbooks.unzipped(workbooks.xlsx([HEADER]))
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (row, row) for row in range(2, 100_002))
    sheet = parts["xl/worksheets/sheet1.xml"].replace(b"</sheetData>", cells + b"</sheetData>")
    strings = parts["xl/sharedStrings.xml"].replace(b"</t></si>", b"x" * 30_000 + b"</t></si>", 1)
    return workbooks.zipped(parts | {"xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": strings})


def cell_in_the_last_corner(row=b"1048576", column=b"XFD"):
    parts = workbooks.unzipped(workbooks.xlsx([HEADER]))
    far = b'<row r="%s"><c r="%s%s"><v>1</v></c></row>' % (row, column, row)
    sheet = parts["xl/worksheets/sheet1.xml"].replace(b"</sheetData>", far + b"</sheetData>")
    return workbooks.zipped(parts | {"xl/worksheets/sheet1.xml": sheet})


def cell_in_a_column_of_many_letters():
    return cell_in_the_last_corner(row=b"3", column=b"ment" * 40)


def uncounted_cells():
    """An XLSX of a million rows and one of 16,000 cells, none of which say where they are."""
    parts = workbooks.unzipped(workbooks.xlsx([HEADER]))
    cells = b"<row>" + b"<c><v>1</v></c>" * 16_000 + b"</row>" + b"<row/>" * 1_000_000 + b"<row><c><v>1</v></c></row>"
    sheet = parts["xl/worksheets/sheet1.xml"].replace(b"</sheetData>", cells + b"</sheetData>")
    return workbooks.zipped(parts | {"xl/worksheets/sheet1.xml": sheet})


def binary_corner():
    """An XLSB with a cell in the last row and the last column."""
    far = workbooks.record(0, struct.pack("<IIHHBI", 1_048_575, 0, 300, 0, 0, 0)) + workbooks.xlsb_cell(16_383, 1, {})
    return workbooks.xlsb([HEADER], more=far)


BOMBS = {
    "ODS of repeated cells": (repeated_cells, "spans more than"),
    "ODS with a far cell": (cell_behind_repeated_rows, "spans more than"),
    "CSV cell of 300 MB in quotes": (long_cell, "characters"),
    "CSV line of 40 MB": (lambda: long_cell(b"", SHORTER), "characters"),
    "CSV row over millions of lines": (many_lines_in_one_row, "a quoted cell is not closed"),
    "Parquet of long texts": (long_texts, "characters"),
    "Parquet of a packed page": (packed_text, "unpacks to more"),
    "Parquet of nulls": (nulls, "spans more than"),
    "Arrow stream of a packed batch": (packed_batch, "unpacks to more"),
    "Arrow file of nothing": (rows_of_nothing, "spans more than"),
    "GZ": (packed_zeros, "unpacks to more"),
    "ZIP": (zip_bomb, "unpacks to more"),
    "entities within entities": (nested_entity, "bytes|too deep"),
    "entity of 40 MB": (endless_entity, "bytes"),
    "entities of many properties": (wide_entities, "spans more than"),
    "XLSX of a shared text": (shared_text, "unpacks to more"),
    "XLSX with a far cell": (cell_in_the_last_corner, "spans more than"),
    "XLSX with a column of many letters": (cell_in_a_column_of_many_letters, "spans more than"),
    "XLSX of cells without places": (uncounted_cells, "spans more than"),
    "XLSB with a far cell": (binary_corner, "spans more than"),
}
