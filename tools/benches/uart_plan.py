"""The rows of the UART benchmark: which are measured, and how each is named."""
FAST, SLOW = 6_250_000, 1_250_000
FLOWS = ("none", "v1", "v2", "v3")
USER = ("interrupt", "async", "async-unbuffered")  # take user interrupts
TURN = 32  # instructions: docs/benchmarks/uart.md, "Turns"
FIELDS = ("load", "mode", "flow", "delivery", "baud", "harts", "place",
          "batch", "gather", "turn")


def needs_turns(mode, harts, place):
    """A hart that never waits ends no turn of QEMU's by itself."""
    return harts > 1 and (mode == "polling" or place == "busy")


def row(load, mode, flow, baud=FAST, harts=4, delivery="native",
        place="alone", batch=None, gather=None, turn=None):
    """
    A row to measure; delivery is that of modes that take user interrupts.
    gather: bytes that a client sleeps for, None: a quarter of its ring.
    turn: instructions a hart runs at a time, None: until it waits.
    """
    delivery = {"polling": "-", "kernel": "-", "notify": "notify"}.get(
        mode, delivery)
    if turn is None and needs_turns(mode, harts, place):
        turn = TURN
    return {"load": load, "mode": mode, "flow": flow, "delivery": delivery,
            "baud": baud, "harts": harts, "place": place, "batch": batch,
            "gather": gather, "turn": turn}


def plan_full():
    """
    Every mode and delivery by every load at both rates, with the flow control
    that serves it best; then what else can be varied, each for itself.
    """
    ways = [(mode, "v3", delivery) for mode in USER
            for delivery in ("native", "emulated")] + \
        [("polling", "v3", "-"), ("notify", "v3", "-"), ("kernel", "v3", "-")]
    # a polling driver leaves its hart to nobody
    shared = [way for way in ways if way[0] != "polling"]

    def each(some, load, **more):
        return [row(load, mode, flow, delivery=delivery, **more)
                for mode, flow, delivery in some]
    rows = []
    for baud in (FAST, SLOW):
        for load in ("simplex", "duplex", "checksum", "mix"):
            rows += each(ways, load, baud=baud)
        for batch in (1, 8, 16):
            rows += each(ways, "pingpong", baud=baud, batch=batch)
        # clients that do not let bytes gather
        rows += each(ways, "simplex", baud=baud, gather=1)
        for harts in (1, 2):
            rows += each(shared, "duplex", baud=baud, harts=harts)
        for harts in (1, 4):
            rows += each(shared, "duplex", baud=baud, harts=harts,
                         place="busy")
        # every flow control
        for mode, best, delivery in ways:
            rows += [row(load, mode, flow, baud, delivery=delivery)
                     for flow in FLOWS if flow != best
                     for load in ("simplex", "duplex")]
    for load in ("simplex", "duplex"):
        # what the polling rows' turns do to the others
        rows += each(shared, load, turn=TURN)
    for harts in (1, 2):
        rows += each(shared, "simplex", harts=harts)
    # every batch
    for batch in range(2, 16):
        if batch != 8:
            rows += each([ways[0], *ways[-3:]], "pingpong", batch=batch)
    return rows


def plan_quick():
    """What CI measures: each mode and delivery once, and the main loads."""
    rows = [row(load, "interrupt", "v3") for load in ("simplex", "duplex")]
    rows += [row("duplex", mode, "v3", turn=TURN if mode == "async" else None)
             for mode in USER[1:] + ("polling", "notify")]
    rows += [row("duplex", "kernel", "v3", harts=1),
             row("duplex", "interrupt", "v3", SLOW),
             row("duplex", "interrupt", "v3", SLOW, 1, place="busy"),
             row("checksum", "interrupt", "v3"),
             row("mix", "interrupt", "v3"),
             row("pingpong", "interrupt", "v3", batch=8),
             row("simplex", "interrupt", "v3", SLOW, gather=1),
             row("simplex", "interrupt", "v2")]
    rows += [row(load, "interrupt", "v3", delivery="emulated")
             for load in ("simplex", "duplex")]
    return rows


def load_name(spec):
    """The load with what belongs to it."""
    return spec["load"] + \
        (f" {spec['batch']}" if spec.get("batch") else "") + \
        (f" gather {spec['gather']}" if spec.get("gather") else "") + \
        (" +busy" if spec["place"] == "busy" else "") + \
        (f" turn {spec['turn']}" if spec.get("turn") and not needs_turns(
            spec["mode"], spec["harts"], spec["place"]) else "")


def name(spec):
    """One line for people, and for --only."""
    return " ".join([load_name(spec), spec["mode"], spec["flow"],
                     spec["delivery"], f"{spec['baud'] / 1e6:g}M",
                     f"{spec['harts']} hart" + "s" * (spec["harts"] > 1)])


def key(spec):
    """What makes a row the same row in two tables."""
    return tuple(spec.get(field) for field in FIELDS)
