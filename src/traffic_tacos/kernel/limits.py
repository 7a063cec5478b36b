"""How large an event may be, and what carries it: one set of limits that agree with each other.

The largest event that may be described passes over gRPC, over HTTP and through the command line, is stored, and is read
again by the rooms that sell it.
"""

MEGABYTE = 1024 * 1024

SEATS_MAX = 100_000
# A seating plan takes 130 to 370 bytes a seat: as compact as it is, and as many fields as its editor writes.
PLAN_BYTES_MAX = 40 * MEGABYTE
DOCUMENT_BYTES_MAX = 2 * MEGABYTE
MESSAGE_BYTES_MAX = PLAN_BYTES_MAX + DOCUMENT_BYTES_MAX + MEGABYTE
# The same as JSON: quotation marks are escaped, and so is whatever some writers escape.
JSON_BYTES_MAX = 2 * MESSAGE_BYTES_MAX
# What clients of gRPC take unless they are told otherwise.
CLIENT_MESSAGE_BYTES = 4 * MEGABYTE
MESSAGE_OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
)

# How long seats are held for who is to pay: by default as the specification has it, else as an event says.
HOLD_SECONDS, HOLD_SECONDS_MIN, HOLD_SECONDS_MAX = 60, 15, 900
EXTENSION_SECONDS_MAX = 60

# How much one call may ask for.
SEATS_PER_RESERVATION_MAX = 100
HOUSE_SEATS_MAX = 1000
SESSION_LENGTH_MAX = 200
METADATA_ENTRIES_MAX, METADATA_LENGTH_MAX = 30, 500  # of a join
WEBHOOK_BYTES_MAX = 64 * 1024
WEBHOOK_HEADERS_MAX, WEBHOOK_HEADER_LENGTH_MAX = 20, 1000  # that an endpoint asks for
# Live updates, and messages of operators.
SUBSCRIPTIONS_MAX = 100  # of one stream
TITLE_LENGTH_MAX, CONTENT_LENGTH_MAX = 200, 4000
DATA_MAX, DATA_LENGTH_MAX = 20, 1000
