"""A guest of WASI 0.3 in Python, by the bindings that componentize-py makes: it does what `tests/guests/wasi3` does by the same words.

get PATH             prints an answer as it comes
follow PATH          prints the name of each event's object in a watch as soon as it is there
upload PATH BYTES    sends that many bytes, piece by piece, and prints the answer's status
"""

import asyncio
import json

import wit_world
from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import client, environment, stdout
from wit_world.imports.wasi_http_types import Fields, Method_Get, Method_Post, Request, Response, Scheme_Http

# The server in every guest's kubeconfig: the gate itself.
CLUSTER = "192.0.2.1"
PIECE = 1 << 16


def made(method, path, contents):
    """Returns a request, and the end of its trailers."""
    trailers, trailers_end = wit_world.result_option_wasi_http_types_fields_wasi_http_types_error_code_future(
        lambda: Ok(None)
    )
    request, _sent = Request.new(Fields.from_list([]), contents, trailers_end, None)
    request.set_method(method)
    request.set_scheme(Scheme_Http())
    request.set_authority(CLUSTER)
    request.set_path_with_query(path)
    return request, trailers


async def got(path):
    """Returns an answer, whose request has no body."""
    request, _trailers = made(Method_Get(), path, None)
    return await client.send(request)


async def pieces(response):
    """Yields an answer's body as it comes, and raises what cut it short."""
    _, accepted = wit_world.result_unit_wasi_http_types_error_code_future(lambda: Ok(None))
    contents, end = Response.consume_body(response, accepted)
    with contents:
        while not contents.writer_dropped:
            piece = await contents.read(PIECE)
            if piece:
                yield piece
    result = await end.read()
    if isinstance(result, Err):
        raise result


async def get(out, path):
    async for piece in pieces(await got(path)):
        await out.write_all(piece)


async def follow(out, path):
    begun = b""
    async for piece in pieces(await got(path)):
        *lines, begun = (begun + piece).split(b"\n")
        for line in lines:
            name = json.loads(line)["object"]["metadata"]["name"]
            await out.write_all(f"{name}\n".encode())


async def upload(out, path, length):
    writer, contents = wit_world.byte_stream()
    request, trailers = made(Method_Post(), path, contents)

    async def body():
        left = int(length)
        with writer:
            while left > 0 and not writer.reader_dropped:
                left -= await writer.write_all(b"x" * min(left, PIECE))
        await trailers.write(Ok(None))

    response, _ = await asyncio.gather(client.send(request), body())
    await out.write_all(f"status {response.get_status_code()}\n".encode())


class Run(exports.Run):
    async def run(self):
        writer, reader = wit_world.byte_stream()
        written = stdout.write_via_stream(reader)
        _, command, *words = environment.get_arguments()
        try:
            with writer:
                await {"get": get, "follow": follow, "upload": upload}[command](writer, *words)
        finally:
            await written.read()
