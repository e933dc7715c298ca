"""One table in every format that is read: XLSB and ODS are written by hand, since no package here writes them."""

import datetime
import gzip
import io
import json
import struct
import zipfile
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from helpers.rosters import as_csv


class Error(str):
    """What a cell shows in which a formula failed."""


ERROR_CODES = {"#NULL!": 0, "#DIV/0!": 7, "#VALUE!": 15, "#REF!": 23, "#NAME?": 29, "#NUM!": 36, "#N/A": 42}
DAY_ZERO = datetime.datetime(1899, 12, 30)


def zipped(parts, *, method=zipfile.ZIP_DEFLATED):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as file:
        for name, part in parts.items():
            file.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), part, method)
    return data.getvalue()


def unzipped(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


# --- XLSX ---


def xlsx(rows, *, merged=(), from_1904=False):
    """``merged``: top, bottom, left, right, counted from 0."""
    data = io.BytesIO()
    options = {"in_memory": True, "date_1904": from_1904, "default_date_format": "dd.mm.yyyy"}
    with xlsxwriter.Workbook(data, options) as book:
        sheet = book.add_worksheet("Лист1")
        hours = book.add_format({"num_format": "[h]:mm:ss"})
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, Error):
                    sheet.write_formula(at, column, "=A1", None, str(value))
                elif isinstance(value, datetime.timedelta):
                    sheet.write_datetime(at, column, value, hours)
                elif isinstance(value, str):
                    sheet.write_string(at, column, value)
                else:
                    sheet.write(at, column, value)
        for top, bottom, left, right in merged:
            sheet.merge_range(top, left, bottom, right, rows[top][left])
    return data.getvalue()


# --- ODS ---

MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="content.xml">{}</manifest:file-entry></manifest:manifest>'
)


def ods_cell(value, attributes=""):
    """An element of ``content.xml``."""
    shown = f"<text:p>{escape(str(value))}</text:p>"
    if value in ("", None):
        return f"<table:table-cell{attributes}/>"
    if isinstance(value, Error):
        kind, shown = ' office:value-type="string" office:string-value="" calcext:value-type="error"', shown
    elif isinstance(value, bool):
        kind = f' office:value-type="boolean" office:boolean-value="{str(value).lower()}"'
    elif isinstance(value, int | float):
        kind = f' office:value-type="float" office:value="{value}"'
    elif isinstance(value, datetime.datetime | datetime.date):
        kind = f' office:value-type="date" office:date-value="{value.isoformat()}"'
        shown = f"<text:p>{value:%d.%m.%y}</text:p>"
    elif isinstance(value, datetime.timedelta):
        seconds = int(value.total_seconds())
        kind = (
            f' office:value-type="time" '
            f'office:time-value="PT{seconds // 3600:02}H{seconds // 60 % 60:02}M{seconds % 60:02}S"'
        )
    else:
        kind = ' office:value-type="string"'
    return f"<table:table-cell{kind}{attributes}>{shown}</table:table-cell>"


def ods_rows(rows):
    return "".join(f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>" for row in rows)


def ods(rows, *, name="Лист1", manifest="", more=""):
    """``rows`` are lists of values, or the XML of rows; ``more`` follows the table."""
    rows = rows if isinstance(rows, str) else ods_rows(rows)
    spaces = " ".join(
        f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"' for prefix in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} '
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
        f"<office:body><office:spreadsheet><table:table table:name={quoteattr(name)}>{rows}</table:table>{more}"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content.encode(),
            "META-INF/manifest.xml": MANIFEST.format(manifest).encode(),
        }
    )


# --- XLSB ---


def record(kind, data=b""):
    """A record of a binary workbook."""
    head = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
    length, size = len(data), b""
    while True:
        size += bytes([length & 127 | (128 if length > 127 else 0)])
        length >>= 7
        if not length:
            return head + size + data


def wide(text):
    data = text.encode("utf-16-le")
    return struct.pack("<I", len(data) // 2) + data


def xlsb_cell(column, value, strings):
    """A cell: text in the shared strings, whole numbers packed, others as floats, dates with the second style."""
    is_date = isinstance(value, datetime.date)
    place = struct.pack("<II", column, 2 if isinstance(value, datetime.timedelta) else int(is_date))
    if isinstance(value, Error):
        return record(3, place + bytes([ERROR_CODES[value]]))
    if isinstance(value, bool):
        return record(4, place + bytes([value]))
    if isinstance(value, int):
        return record(2, place + struct.pack("<i", value << 2 | 2))
    if is_date:
        moment = datetime.datetime.combine(value, datetime.time()) if type(value) is datetime.date else value
        value = (moment - DAY_ZERO) / datetime.timedelta(days=1)
    if isinstance(value, datetime.timedelta):
        value /= datetime.timedelta(days=1)
    if isinstance(value, float):
        return record(5, place + struct.pack("<d", value))
    return record(7, place + struct.pack("<I", strings.setdefault(value, len(strings))))


def xlsb_sheet(rows, strings, merged=()):
    width = max(map(len, rows), default=1)
    parts = [
        record(129),
        record(148, struct.pack("<IIII", 0, max(0, len(rows) - 1), 0, max(0, width - 1))),
        record(145),
    ]
    for at, row in enumerate(rows):
        parts.append(record(0, struct.pack("<IIHHBI", at, 0, 300, 0, 0, 0)))
        parts += [xlsb_cell(column, value, strings) for column, value in enumerate(row) if value not in ("", None)]
    parts.append(record(146))
    if merged:
        parts.append(record(177, struct.pack("<I", len(merged))))
        parts += [record(176, struct.pack("<IIII", top, bottom, left, right)) for top, bottom, left, right in merged]
        parts.append(record(178))
    return b"".join([*parts, record(130)])


def styles_of_xlsb():
    """Three styles: general, a date, and hours beyond a day."""
    formats = record(615, struct.pack("<I", 1)) + record(44, struct.pack("<H", 164) + wide("dd\\.mm\\.yyyy"))
    one = [struct.pack("<HHHHHBBHH", 0, number, 0, 0, 0, 0, 0, 0, 0)[:16] for number in (0, 164, 46)]
    styles = record(617, struct.pack("<I", 3)) + b"".join(record(47, data) for data in one) + record(618)
    return record(278) + formats + record(616) + styles + record(279)


def xlsb(rows, *, merged=(), name="Лист1", from_1904=False, more=b""):
    """``merged``: top, bottom, left, right, counted from 0. ``more`` are records behind those of the rows."""
    strings = {}
    end = record(146)
    sheet = xlsb_sheet(rows, strings, merged).replace(end, more + end)
    shared = record(159, struct.pack("<II", len(strings), len(strings)))
    shared += b"".join(record(19, b"\0" + wide(text)) for text in strings) + record(160)
    book = record(131) + record(153, struct.pack("<II", int(from_1904), 0) + wide("")) + record(143)
    book += record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide(name)) + record(144) + record(132)
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    relations = f'<?xml version="1.0"?><Relationships xmlns="{package}/relationships">{{}}</Relationships>'
    one = f'<Relationship Id="rId{{}}" Type="{kind}/{{}}" Target="{{}}"/>'
    targets = (
        ("worksheet", "worksheets/sheet1.bin"),
        ("styles", "styles.bin"),
        ("sharedStrings", "sharedStrings.bin"),
    )
    types = f'<Types xmlns="{package}/content-types"><Default Extension="bin" ContentType="application/octet-stream"/>'
    return zipped(
        {
            "[Content_Types].xml": f"{types}</Types>".encode(),
            "_rels/.rels": relations.format(one.format(1, "officeDocument", "xl/workbook.bin")).encode(),
            "xl/workbook.bin": book,
            "xl/_rels/workbook.bin.rels": relations.format(
                "".join(one.format(number, *target) for number, target in enumerate(targets, 1))
            ).encode(),
            "xl/worksheets/sheet1.bin": sheet,
            "xl/styles.bin": styles_of_xlsb(),
            "xl/sharedStrings.bin": shared,
        }
    )


# --- the others ---


def table(header, rows):
    return pa.table({name: [row[at] or None for row in rows] for at, name in enumerate(header)})


def parquet(header, rows, **options):
    out = io.BytesIO()
    pq.write_table(table(header, rows), out, **options)
    return out.getvalue()


def arrow(header, rows, *, new=pa.ipc.new_file, **options):
    out = io.BytesIO()
    whole = table(header, rows)
    with new(out, whole.schema, options=pa.ipc.IpcWriteOptions(**options)) as file:
        file.write_table(whole)
    return out.getvalue()


def arrow_stream(header, rows, **options):
    return arrow(header, rows, new=pa.ipc.new_stream, **options)


def entities(rows):
    """FollowTheMoney: surname, given name, patronymic, birth date, number."""
    names = ("lastName", "firstName", "fatherName", "birthDate", "idNumber")
    return b"".join(
        json.dumps(
            {"id": f"p{at}", "schema": "Person", "properties": {n: [v] for n, v in zip(names, row, strict=True) if v}},
            ensure_ascii=False,
        ).encode()
        + b"\n"
        for at, row in enumerate(rows)
    )


WRITERS = {
    "csv": lambda header, rows: as_csv(rows, header=header),
    "xlsx": lambda header, rows: xlsx([header, *rows]),
    "ods": lambda header, rows: ods([header, *rows]),
    "xlsb": lambda header, rows: xlsb([header, *rows]),
    "parquet": parquet,
    "arrow": arrow,
    "arrow stream": arrow_stream,
    "csv.gz": lambda header, rows: gzip.compress(as_csv(rows, header=header), mtime=0),
    "zip": lambda header, rows: zipped({"list.csv": as_csv(rows, header=header)}),
    "xlsx in zip": lambda header, rows: zipped({"list.xlsx": xlsx([header, *rows]), "__MACOSX/._list.xlsx": b"\0"}),
}
