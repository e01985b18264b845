# A day of aioftp. In: HOST PORT USER PASSWORD DAY, and what of "v6 explicit implicit writes" is wanted.
import asyncio, ssl, sys
import aioftp

host, port, user, password, day, *wanted = sys.argv[1:]
context = ssl._create_unverified_context()


async def store(client, name, path, offset=0):
    with open(name, "rb") as file:
        file.seek(offset)
        async with client.upload_stream(path, offset=offset) as stream:
            await stream.write(file.read())


async def main():
    client = aioftp.Client(socket_timeout=20, connection_timeout=20, ssl=context if "implicit" in wanted else None)
    await client.connect(host, int(port))
    if "explicit" in wanted:
        await client.upgrade_to_tls(context)
    await client.login(user, password)
    if "implicit" in wanted:
        await client.command("PBSZ 0", "200")
        await client.command("PROT P", "200")
    await client.change_directory("/pub")
    with open("list", "w") as out:
        for path, facts in await client.list():
            out.write(f"{path} {facts}\n")
    async with client.download_stream("big") as stream:
        with open("down", "wb") as out:
            async for block in stream.iter_by_block():
                out.write(block)
    with open("part", "r+b") as out:
        out.seek(0, 2)
        async with client.download_stream("big", offset=out.tell()) as stream:
            async for block in stream.iter_by_block():
                out.write(block)
    if "writes" in wanted:
        await client.make_directory(day)
        await client.change_directory(day)
        await store(client, "up", "new")
        await client.rename("new", "renamed")
        await store(client, "half", "resumed")
        await store(client, "up", "resumed", offset=int((await client.stat("resumed"))["size"]))
        await store(client, "half", "gone")
        await client.remove_file("gone")
        await client.make_directory("kept")
        await client.make_directory("removed")
        await client.remove_directory("removed")
    await client.quit()


asyncio.run(asyncio.wait_for(main(), 30))
