"""Made-up names, places and codes. No person, provider or insurer here exists; codes are invented (L6)."""

from __future__ import annotations

FIRST_NAMES = (
    "Ada", "Amos", "Anouk", "Ari", "Bea", "Bram", "Caro", "Cleo", "Cyrus", "Dalia", "Dario", "Della", "Edda", "Elio",
    "Elke", "Emre", "Esme", "Fable", "Faye", "Flint", "Gale", "Gideon", "Greta", "Hana", "Hollis", "Ida", "Idris",
    "Ines", "Iris", "Ivo", "Jada", "Joss", "Juno", "Kaia", "Keanu", "Kit", "Lark", "Leif", "Lena", "Linus", "Lotte",
    "Mabel", "Magnus", "Marlo", "Mika", "Mina", "Nadia", "Nell", "Nico", "Noor", "Odell", "Olive", "Onno", "Opal",
    "Orson", "Pia", "Quill", "Rafi", "Remy", "Rhea", "Rio", "Roan", "Rosa", "Saskia", "Sol", "Stellan", "Suki",
    "Tamsin", "Teo", "Thea", "Timo", "Una", "Vera", "Vidal", "Wanda", "Wes", "Willa", "Xenia", "Yara", "Zeno",
)  # fmt: skip
LAST_NAMES = (
    "Abernook", "Ashgrove", "Balsamo", "Barrowby", "Birchall", "Bracken", "Brightwater", "Calloway", "Cinderford",
    "Coldstream", "Cresswick", "Dapplewood", "Delamarsh", "Dunmore", "Elderfield", "Emberly", "Fairbrook", "Fenwright",
    "Fernandel", "Foxmere", "Garrowhill", "Glenhaven", "Goldacre", "Greyfell", "Hartsmoor", "Hawkridge", "Hazelton",
    "Hollowell", "Inglemoor", "Ironwell", "Jasperson", "Kestrel", "Kingsholm", "Lindqvall", "Longmead", "Lorimer",
    "Maplethorn", "Marchbank", "Meadowes", "Merrivale", "Millrace", "Moonfield", "Nettleby", "Northwick", "Oakhurst",
    "Okonjara", "Orchardson", "Pemberlow", "Pinewell", "Quarrington", "Ravenhall", "Redfern", "Rivermont", "Rowanby",
    "Saltmarsh", "Sandoval-Reyne", "Silverdale", "Snowden", "Starling", "Stonebridge", "Tallgrass", "Tanakawa",
    "Thistlewood", "Underhill", "Valebrook", "Vanterpoole", "Wexley", "Whitlock-Dane", "Wildermuth", "Winterbourne",
    "Wrenfield", "Yarborough", "Zelinski",
)  # fmt: skip
STREETS = ("Alder Way", "Beacon Row", "Copper Lane", "Dogwood Court", "Ferry Street", "Lantern Hill", "Mill Pond Road")
CITIES = (("Fairhaven", "08999"), ("Juniper Falls", "08998"), ("Port Marrow", "08997"))
STATE = "NJ"

#: (ID, name, payer code)
INSURERS = (
    ("harbor", "Harbor Mutual Health", "DEMO01"),
    ("keystone", "Keystone Valley Plan", "DEMO02"),
    ("evergreen", "Evergreen Community Care", "DEMO03"),
    ("summit", "Summit Employee Trust", "DEMO04"),
)

#: Codes that look like a practice's own list; none is a code of the AMA or of CMS.
SERVICE_TYPES: tuple[dict[str, str], ...] = (
    {"ID": "intake", "Code": "9X010", "Name": "First visit", "Kind": "CPT", "Rate": "210.00", "Minutes": "60"},
    {"ID": "long", "Code": "9X050", "Name": "Individual session", "Kind": "CPT", "Rate": "150.00", "Minutes": "50"},
    {"ID": "short", "Code": "9X030", "Name": "Short session", "Kind": "CPT", "Rate": "95.00", "Minutes": "30"},
    {"ID": "family", "Code": "9X070", "Name": "Family session", "Kind": "CPT", "Rate": "170.00", "Minutes": "60"},
    {"ID": "group", "Code": "9X0GR", "Name": "Group session", "Kind": "CPT", "Rate": "60.00", "Minutes": "90"},
    {"ID": "care", "Code": "CARE15", "Name": "Care coordination", "Kind": "Non-CPT", "Rate": "24.00", "Minutes": "30",
     "Unit Rule": "1 Unit per m minutes", "Unit Count": "15"},
    {"ID": "noshow", "Code": "NOSHOW", "Name": "Missed appointment", "Kind": "Non-CPT", "Rate": "75.00",
     "Bills Insurance": "no", "No Show Fee": "yes"},
    {"ID": "late", "Code": "LATE", "Name": "Late cancellation", "Kind": "Non-CPT", "Rate": "50.00",
     "Bills Insurance": "no", "Late Cancel Fee": "yes"},
)  # fmt: skip
