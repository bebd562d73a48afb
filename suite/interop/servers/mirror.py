"""A server over stdio that shows what comes through: it gives back what it is sent, as it was spelled, and sends what
clients seldom get. Behind a gateway, and compared with itself, it shows what the gateway drops, adds and changes.

Standard library only: an SDK would normalise what is to be seen.
"""

import json
import sys
import threading

REVISIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")

# What nobody knows, in every form: it may be dropped on the way, but need not be.
UNKNOWN = {"text": "ü \u2028 😀", "list": [None, True, {"a": {"b": []}}], "empty": {}, "number": 1}
META = {"example.com/trace": UNKNOWN}

# How long a call waits for what may never come.
PATIENCE_S = 1.5


class Spelled(str):
    """A number as it was spelled."""


def parsed(line: str):
    return json.loads(line, parse_int=Spelled, parse_float=Spelled)


def written(value) -> str:
    if isinstance(value, Spelled):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{written(of)}" for name, of in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


class Mirror:
    def __init__(self):
        self.lock = threading.Lock()
        self.opened = []
        self.notifications = {}
        self.waiting = {}
        self.asked = {}
        self.asking = 0

    def send(self, message: dict):
        with self.lock:
            sys.stdout.write(written({"jsonrpc": "2.0", **message}) + "\n")
            sys.stdout.flush()

    def answer(self, request: dict, result: dict):
        self.send({"id": request["id"], "result": result})

    def take(self, message: dict):
        if "method" not in message:
            asked = self.asked.pop(written(message.get("id")), None)
            if asked:
                asked(message)
        elif "id" not in message:
            self.note(message)
        else:
            self.serve(message)

    def note(self, message: dict):
        params = dict(message.get("params") or {})
        if message["method"] == "notifications/initialized":
            return
        if message["method"] == "notifications/cancelled":
            # The id is one of the middle's own: what counts is whether it is that of the call.
            call = self.waiting.pop(written(params.pop("requestId", None)), None)
            params["cancels"] = "the call" if call else "nothing that is known here"
        self.notifications.setdefault(message["method"], []).append(params)

    def serve(self, request: dict):
        method, params = request["method"], request.get("params") or {}
        if method == "initialize":
            self.opened.append(params)
            self.answer(request, opening(params))
        elif method == "tools/list":
            self.answer(request, {"tools": list(map(tool, TOOLS)), "_meta": META, "later": UNKNOWN})
        elif method == "tools/call" and params.get("name") in TOOLS:
            TOOLS[params["name"]](self, request, params)
        elif method == "ping":
            self.answer(request, {})
        elif method == "mirror/anything":
            self.answer(request, {"received": params})
        else:
            self.send({"id": request["id"], "error": {"code": -32601, "message": f"no method {method}"}})

    def mirror(self, request: dict, params: dict):
        """Gives back its params, under `structuredContent`."""
        self.answer(request, result({"received": params}))

    def echo(self, request: dict, params: dict):
        self.answer(request, {"content": [{"type": "text", "text": params["arguments"]["text"]}]})

    def add(self, request: dict, params: dict):
        """Gives back its first number as it was spelled."""
        self.answer(request, {"content": [{"type": "text", "text": written(params["arguments"]["a"])}]})

    def say(self, request: dict, params: dict):
        """Notifications of every kind, in a certain order, before the answer."""
        token = (params.get("_meta") or {}).get("progressToken")
        log = {"level": "info", "logger": "mirror", "data": UNKNOWN, "_meta": META, "later": UNKNOWN}
        progress = {"total": Spelled("2.0"), "message": "ü", "_meta": META, "later": UNKNOWN}
        for number in ("0.5", "1"):
            if token is not None:
                of = {"progressToken": token, "progress": Spelled(number), **progress}
                self.send({"method": "notifications/progress", "params": of})
            self.send({"method": "notifications/message", "params": log})
        self.send({"method": "notifications/mirror/anything", "params": {"later": UNKNOWN, "_meta": META}})
        self.send({"method": "notifications/tools/list_changed", "params": {"_meta": META}})
        self.answer(request, result({"said": 6}))

    def fail(self, request: dict, params: dict):
        """An error of the protocol, with data."""
        error = {"code": Spelled("-31001"), "message": "ü \u2028", "data": {"later": UNKNOWN, "large": Spelled("9007199254740993")}}
        self.send({"id": request["id"], "error": error})

    def later(self, request: dict, params: dict):
        """Content of a kind that no revision has."""
        self.answer(request, {"content": [{"type": "later", "later": UNKNOWN}, {"type": "text", "text": "known"}]})

    def recall(self, request: dict, params: dict):
        """How the session was opened here, and what was notified since it was asked last."""
        told, self.notifications = self.notifications, {}
        whole = {"opened": self.opened[-1], "shared": len(self.opened) > 1, "notifications": told}
        self.answer(request, result(whole))

    def wait(self, request: dict, params: dict):
        """Is answered after a while, unless it is cancelled."""
        key = written(request["id"])
        self.waiting[key] = request

        def over():
            if self.waiting.pop(key, None):
                self.answer(request, result({"waited": True}))

        after(over)

    def ask(self, request: dict, params: dict):
        """Asks for the client's roots under ids of several kinds, and says which of them are answered."""
        self.asking += 1
        ids = {
            "text": f"ask-ü-{self.asking}",
            "digits in a text": f"12{self.asking}",
            "negative": Spelled(-self.asking),
        }
        if "large" in (params.get("arguments") or {}):
            ids = {"above 2^53": Spelled(2**53 + 1 + 2 * self.asking)}
        answers = dict.fromkeys(ids, "not answered")
        for name, number in ids.items():
            def answered(message, name=name):
                error = message.get("error")
                answers[name] = f"refused with {written(error.get('code'))}" if error else "answered"

            self.asked[written(number)] = answered
            self.send({"id": number, "method": "roots/list", "params": {"_meta": META, "later": UNKNOWN}})

        def look(left):
            if left and "not answered" in answers.values():
                after(lambda: look(left - 1), PATIENCE_S / 10)
            else:
                self.answer(request, result({"answers": answers}))

        look(10)


TOOLS = {
    name: getattr(Mirror, name)
    for name in ("mirror", "echo", "add", "say", "fail", "later", "recall", "wait", "ask")
}


def opening(params: dict) -> dict:
    asked = params.get("protocolVersion")
    return {
        "protocolVersion": asked if asked in REVISIONS else REVISIONS[-1],
        "capabilities": {
            "tools": {"listChanged": True, "later": UNKNOWN},
            "logging": {},
            "experimental": {"example.com/later": UNKNOWN},
            "later": {},
        },
        "serverInfo": {"name": "mirror", "title": "A mirror", "version": "1", "later": UNKNOWN},
        "instructions": "ü \u2028",
        "_meta": META,
        "later": UNKNOWN,
    }


def tool(name: str) -> dict:
    properties = {"echo": {"text": {"type": "string"}}, "add": {"a": {"type": "number"}, "b": {"type": "number"}}}
    wanted = properties.get(name, {})
    return {
        "name": name,
        "description": TOOLS[name].__doc__ or "Gives back its argument",
        "inputSchema": {"type": "object", "properties": wanted, "required": list(wanted), "later": UNKNOWN},
        "annotations": {"readOnlyHint": True, "openWorldHint": False, "later": UNKNOWN},
        "_meta": META,
        "later": UNKNOWN,
    }


def result(content: dict) -> dict:
    annotations = {"audience": ["user"], "priority": Spelled("1.0"), "later": UNKNOWN}
    text = {"type": "text", "text": "see the structured content", "annotations": annotations}
    return {
        "content": [{**text, "_meta": META, "later": UNKNOWN}],
        "structuredContent": content,
        "isError": False,
        "_meta": META,
        "later": UNKNOWN,
    }


def after(what, seconds=PATIENCE_S):
    timer = threading.Timer(seconds, what)
    timer.daemon = True
    timer.start()


def main():
    mirror = Mirror()
    sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")
    for line in sys.stdin:
        try:
            message = parsed(line)
        except ValueError:
            mirror.send({"id": None, "error": {"code": -32700, "message": "no JSON"}})
            continue
        if isinstance(message, dict):
            mirror.take(message)


main()
