"""Vendor submissions, as a registry of patients would receive them: the demo's source rows.

The same number of rows is always the same rows. Values are made up.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal

from pyspark.sql import types as T

SCHEMA = T.StructType(
    [
        T.StructField("submission_id", T.StringType(), nullable=False),
        T.StructField("patient_id", T.LongType()),
        T.StructField("name", T.StringType()),
        T.StructField("birth_date", T.DateType()),
        T.StructField(
            "address",
            T.StructType(
                [
                    T.StructField("street", T.StringType()),
                    T.StructField("city", T.StringType()),
                    T.StructField("postcode", T.StringType()),
                    T.StructField("country", T.StringType()),
                ]
            ),
        ),
        T.StructField("vendor", T.StringType()),
        T.StructField("procedure", T.StringType()),
        T.StructField("amount", T.DecimalType(10, 2)),
        T.StructField("codes", T.ArrayType(T.StringType())),
        T.StructField("admitted_at", T.TimestampType()),
    ]
)

GIVEN = ["Ada", "Bruno", "Chloé", "Dmitri", "Elif", "Fatima", "Göran", "Hana", "Iñaki", "Jun", "Käthe", "Leïla"]
FAMILY = ["Abebe", "Brontë", "Čapek", "Dvořák", "Eriksson", "Fischer", "García", "Haddad", "Ito", "O'Neill", "Zhou"]
STREETS = ["Mill Lane", "Rue de l'Église", "Hauptstraße", "Calle Mayor", "Via Roma", "Storgatan"]
TOWNS = [
    ("Zürich", "8001", "CH"),
    ("Lyon", "69002", "FR"),
    ("Köln", "50667", "DE"),
    ("Málaga", "29005", "ES"),
    ("Torino", "10121", "IT"),
    ("Malmö", "211 22", "SE"),
]
VENDORS = ["Northwind Labs", "St. Vincent's", "MediCart & Co", "Klinikum am Park"]
PROCEDURES = ["blood panel", "x-ray", "vaccination", "consultation", "MRI, 1.5 T"]
CODES = ["Z00.0", "J45.9", "E11.9", "I10", "M54.5"]


def rows(count: int) -> Iterator[tuple[object, ...]]:
    """``count`` rows of ``SCHEMA``. One in a hundred has no address, a few have no patient, so cannot be sent."""
    chance = random.Random(20260131)
    for number in range(count):
        city, postcode, country = chance.choice(TOWNS)
        street = f"{chance.choice(STREETS)} {chance.randint(1, 199)}"
        yield (
            f"S-{number:06}",
            None if number % 2500 == 1234 else 100_000 + chance.randrange(900_000),
            f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}",
            None if chance.random() < 0.05 else dt.date(1930, 1, 1) + dt.timedelta(days=chance.randrange(32_000)),
            None if chance.random() < 0.01 else (street, city, postcode, country),
            chance.choice(VENDORS),
            chance.choice(PROCEDURES),
            Decimal(chance.randrange(1_000, 250_000)).scaleb(-2),
            chance.sample(CODES, chance.randrange(4)),
            dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=chance.randrange(2_500_000)),
        )
