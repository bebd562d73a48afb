"""A server of the protobuf binding, on the messages of mcp-grpc-transport-proto: `grpc_native.py PORT`."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf.json_format import MessageToDict
from mcp_grpc_transport_proto import mcp_messages_pb2 as messages
from mcp_grpc_transport_proto.mcp_pb2_grpc import McpServicer, add_McpServicer_to_server

REVISIONS = ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]
VERSION = "mcp-protocol-version"
INTEGER = {"type": "integer"}


def refuse(context: grpc.ServicerContext, code: int, why: str) -> None:
    status = grpc.StatusCode.UNIMPLEMENTED if code == -32601 else grpc.StatusCode.INVALID_ARGUMENT
    context.set_trailing_metadata((("mcp-error-code", str(code)),))
    context.abort(status, why)


def agree(context: grpc.ServicerContext) -> messages.ResponseFields:
    """Takes a call in the revision that it names, and gives what every result carries in it."""
    named = dict(context.invocation_metadata()).get(VERSION)
    spoken = named in REVISIONS
    context.send_initial_metadata(((VERSION, named if spoken else REVISIONS[-1]),))
    if not spoken:
        refuse(context, -32601, "the revision is missing, or not spoken")
    common = messages.ResponseFields()
    if named == REVISIONS[-1]:
        common.result_type = messages.RESULT_TYPE_COMPLETE
        info = {"name": "interop-grpc-native", "version": "1.0.0"}
        common.metadata.update({"io.modelcontextprotocol/serverInfo": info})
    return common


def schema(**properties: dict) -> dict:
    return {"type": "object", "properties": properties, "required": [*properties]}


TOOLS = [
    messages.Tool(name="echo", description="Gives its text back.", input_schema=schema(text={"type": "string"})),
    messages.Tool(
        name="add",
        description="Adds two integers.",
        input_schema=schema(a=INTEGER, b=INTEGER),
        output_schema=schema(sum=INTEGER),
    ),
    messages.Tool(name="fail", description="Always ends in a tool error.", input_schema=schema()),
]


def text(of: str) -> messages.TextContent:
    return messages.TextContent(text=of)


class Server(McpServicer):
    def ListTools(self, request, context):
        return messages.ListToolsResponse(common=agree(context), tools=TOOLS)

    def CallTool(self, request, context):
        response = messages.CallToolResponse(common=agree(context))
        name, arguments = request.request.name, MessageToDict(request.request.arguments)
        if name not in [tool.name for tool in TOOLS]:
            refuse(context, -32602, "there is no such tool")
        try:
            if name == "echo":
                said = str(arguments["text"])
            elif name == "add":
                total = {"sum": int(arguments["a"]) + int(arguments["b"])}
                response.structured_content.update(total)
                said = json.dumps(total)
            else:
                raise ValueError("this tool always fails")
        except (KeyError, TypeError, ValueError) as why:
            response.is_error = True
            said = str(why)
        response.content.add().text.CopyFrom(text(said))
        return response

    def ListResources(self, request, context):
        note = messages.Resource(uri="demo://note", name="note", mime_type="text/plain")
        return messages.ListResourcesResponse(common=agree(context), resources=[note])

    def ListResourceTemplates(self, request, context):
        item = messages.ResourceTemplate(uri_template="demo://item/{number}", name="item", mime_type="text/plain")
        return messages.ListResourceTemplatesResponse(common=agree(context), resource_templates=[item])

    def ReadResource(self, request, context):
        response = messages.ReadResourceResponse(common=agree(context))
        if request.uri == "demo://note":
            said = "a note"
        elif request.uri.startswith("demo://item/"):
            said = f"item number {request.uri.removeprefix('demo://item/')}"
        else:
            refuse(context, -32602 if response.common.result_type else -32002, "there is no such resource")
        response.resource.add(uri=request.uri, mime_type="text/plain", text=said)
        return response

    def ListPrompts(self, request, context):
        name = messages.Prompt.Argument(name="name", required=True)
        greet = messages.Prompt(name="greet", description="Asks for a greeting.", arguments=[name])
        return messages.ListPromptsResponse(common=agree(context), prompts=[greet])

    def GetPrompt(self, request, context):
        response = messages.GetPromptResponse(common=agree(context))
        if request.name != "greet" or "name" not in request.arguments:
            refuse(context, -32602, "there is no such prompt, or its argument is missing")
        response.messages.add(role=messages.ROLE_USER, text=text(f"Greet {request.arguments['name']}."))
        return response


server = grpc.server(ThreadPoolExecutor(max_workers=4))
add_McpServicer_to_server(Server(), server)
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()
