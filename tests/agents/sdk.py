"""An agent of the Agent Client Protocol, made with the protocol's own Python SDK, for the tests that callboard speaks it.

It works without a model: by what it is told in its environment, it uses one thing of the protocol after the other and checks each
answer. What is not as it should be goes to the file PROBLEMS, one line each.

STATE     the folder of its conversations
PROBLEMS  the file for problems
EXPECT    what it is told when it asks for more than writing in its folder: allow or deny
RETURN    how it goes on with a conversation: load or resume
WAIT      it waits to be cancelled, and puts the file `waiting` into STATE when it does
"""

import asyncio
import json
import os
import pathlib
import uuid

import acp
from acp import schema

STATE = pathlib.Path(os.environ["STATE"])
ALLOWED = os.environ["EXPECT"] == "allow"
LOADS = os.environ.get("RETURN", "load") == "load"
WAITS = "WAIT" in os.environ
OPTIONS = [
    schema.PermissionOption(option_id="yes", name="Yes", kind="allow_once"),
    schema.PermissionOption(option_id="ever", name="Always", kind="allow_always"),
    schema.PermissionOption(option_id="no", name="No", kind="reject_once"),
]
MODES = [schema.SessionMode(id="ask", name="Ask"), schema.SessionMode(id="go", name="Go on", description="Asks little")]


def check(holds, what):
    if not holds:
        with open(os.environ["PROBLEMS"], "a") as file:
            file.write(f"{what}\n")


class Agent(acp.Agent):
    def __init__(self):
        self.conn = None
        self.cancelled = asyncio.Event()
        self.sessions = {}

    def on_connect(self, conn):
        self.conn = conn

    async def initialize(self, protocol_version, client_capabilities=None, client_info=None, **kwargs):
        check(protocol_version == acp.PROTOCOL_VERSION, f"version {protocol_version}")
        can = client_capabilities
        check(can and can.terminal and can.fs.read_text_file and can.fs.write_text_file, f"capabilities {can}")
        check(client_info and client_info.name == "callboard" and client_info.version, f"client {client_info}")
        check(not kwargs.get("field_meta") and not kwargs, f"more than the protocol has: {kwargs}")
        resumes = None if LOADS else schema.SessionCapabilities(resume=schema.SessionResumeCapabilities())
        return schema.InitializeResponse(
            protocol_version=acp.PROTOCOL_VERSION,
            agent_capabilities=schema.AgentCapabilities(load_session=LOADS, session_capabilities=resumes),
            agent_info=schema.Implementation(name="sdk", version="1"),
        )

    def opened(self, session, cwd, servers, said):
        check(os.path.isabs(cwd) and os.path.isdir(cwd), f"cwd {cwd}")
        names = [server.name for server in servers or [] if isinstance(server, schema.McpServerStdio)]
        check(names == ["callboard"], f"servers {servers}")
        check(all(os.path.isabs(server.command) for server in servers), f"commands {servers}")
        self.sessions[session] = {"cwd": cwd, "said": said, "mode": "ask"}
        return schema.SessionModeState(current_mode_id="ask", available_modes=MODES)

    async def new_session(self, cwd, mcp_servers=None, **kwargs):
        session = str(uuid.uuid4())
        return schema.NewSessionResponse(session_id=session, modes=self.opened(session, cwd, mcp_servers, []))

    async def load_session(self, cwd, session_id, mcp_servers=None, **kwargs):
        check(LOADS, "it was not asked to resume")
        modes = self.remembered(cwd, session_id, mcp_servers)
        for text in self.sessions[session_id]["said"]:
            await self.conn.session_update(session_id, acp.update_user_message_text(text))
            await self.conn.session_update(session_id, acp.update_agent_message_text("So I said before."))
        return schema.LoadSessionResponse(modes=modes)

    async def resume_session(self, cwd, session_id, mcp_servers=None, **kwargs):
        check(not LOADS, "it was asked to resume")
        return schema.ResumeSessionResponse(modes=self.remembered(cwd, session_id, mcp_servers))

    def remembered(self, cwd, session, servers):
        file = STATE / session
        if not file.is_file():
            raise acp.RequestError.resource_not_found(session)
        return self.opened(session, cwd, servers, json.loads(file.read_text()))

    async def set_session_mode(self, session_id, mode_id, **kwargs):
        check(mode_id == "go", f"mode {mode_id}")
        self.sessions[session_id]["mode"] = mode_id
        return schema.SetSessionModeResponse()

    async def cancel(self, session_id, **kwargs):
        check(session_id in self.sessions, f"cancelled {session_id}")
        self.cancelled.set()

    async def prompt(self, session_id, prompt, **kwargs):
        session = self.sessions[session_id]
        check(session["mode"] == "go", f"prompted in the mode {session['mode']}")
        text = "".join(block.text for block in prompt if isinstance(block, schema.TextContentBlock))
        check("`Alpha`" in text, f"prompt {text}")
        session["said"].append(text)
        (STATE / session_id).write_text(json.dumps(session["said"]))
        turn = Turn(self.conn, session_id, pathlib.Path(session["cwd"]))
        if WAITS:
            await turn.say("I wait.")
            (STATE / "waiting").touch()
            await self.cancelled.wait()
            (STATE / "cancelled").touch()
            return schema.PromptResponse(stop_reason="cancelled")
        try:
            await (turn.first() if len(session["said"]) == 1 else turn.second())
        except Exception as error:
            check(False, f"{type(error).__name__}: {error}")
            raise
        usage = schema.Usage(total_tokens=130, input_tokens=100, output_tokens=30, cached_read_tokens=40)
        return schema.PromptResponse(stop_reason="end_turn", usage=usage)


class Turn:
    def __init__(self, conn, session, cwd):
        self.conn, self.session, self.cwd = conn, session, cwd
        self.code = cwd / "src/shop/alpha.txt"

    async def update(self, update):
        await self.conn.session_update(self.session, update)

    async def say(self, *pieces):
        for piece in pieces:
            await self.update(acp.update_agent_message_text(piece))

    async def refused(self, what, request):
        try:
            answer = await request
        except acp.RequestError as error:
            check(error.code != -32603 and str(error), f"{what} was refused by {error.code} {error}")
            return str(error)
        check(False, f"{what} was not refused: {answer}")
        return ""

    async def first(self):
        for piece in ["Let me ", "see."]:
            await self.update(acp.update_agent_thought_text(piece))
        await self.say("I read ", "the readme.\n")
        steps = [("Read", "completed"), ("Write", "in_progress"), ("Run", "pending")]
        await self.update(acp.update_plan([acp.plan_entry(text, status=status) for text, status in steps]))
        await self.files()
        await self.edit("one\n")
        await self.command()
        await self.terminals()
        await self.update(schema.CurrentModeUpdate(session_update="current_mode_update", current_mode_id="ask"))
        cost = schema.Cost(amount=0.25, currency="USD")
        await self.update(schema.UsageUpdate(session_update="usage_update", used=10, size=100, cost=cost))
        await self.say("Half of it is written.")

    async def second(self):
        await self.say("I go on.")
        await self.edit("one two\n")
        cost = schema.Cost(amount=0.75, currency="USD")
        await self.update(schema.UsageUpdate(session_update="usage_update", used=20, size=100, cost=cost))

    async def files(self):
        conn, session = self.conn, self.session
        lines = await conn.read_text_file(session, str(self.cwd / "callboard.toml"), line=2, limit=1)
        check(lines.content == 'name = "lab"\n', f"one line: {lines.content}")
        whole = await conn.read_text_file(session, str(self.cwd / "README.md"))
        check(whole.content == "a shop\n", f"a file: {whole.content}")
        missing = await conn.read_text_file(session, str(self.cwd / "missing"))
        check(missing.content == "", f"no file: {missing.content}")
        for path in ["/etc/hostname", str(self.cwd / "../../other"), "README.md"]:
            await self.refused(f"reading {path}", conn.read_text_file(session, path))
        outside = str(self.cwd.parent / "outside")
        await self.refused("writing outside", conn.write_text_file(session, outside, "x"))
        check(not os.path.exists(outside), "it was written outside")

    async def edit(self, text):
        path = str(self.code)
        old = self.code.read_text() if self.code.exists() else None
        diff = acp.tool_diff_content(path, text, old)
        places = [schema.ToolCallLocation(path=path, line=1)]
        call = acp.start_tool_call("edit", "Write alpha", kind="edit", status="pending", content=[diff], locations=places)
        await self.update(call)
        about = schema.ToolCallUpdate(tool_call_id="edit", kind="edit", title="Write alpha", content=[diff], locations=places)
        answer = await self.conn.request_permission(session_id=self.session, tool_call=about, options=OPTIONS)
        check(getattr(answer.outcome, "option_id", None) == "yes", f"its own file: {answer.outcome}")
        await self.conn.write_text_file(self.session, path, text)
        check(self.code.read_text() == text, "it was not written")
        await self.update(acp.update_tool_call("edit", status="completed"))

    async def command(self):
        """A command of its own: it asks, and would run it itself."""
        about = schema.ToolCallUpdate(tool_call_id="own", kind="execute", title="make all", raw_input={"command": "make all"})
        answer = await self.conn.request_permission(session_id=self.session, tool_call=about, options=OPTIONS)
        wanted = "yes" if ALLOWED else "no"
        check(getattr(answer.outcome, "option_id", None) == wanted, f"a command: {answer.outcome}")
        status = "completed" if ALLOWED else "failed"
        await self.update(acp.update_tool_call("own", status=status, raw_output="made" if ALLOWED else "denied"))

    async def terminals(self):
        conn, session = self.conn, self.session
        await self.refused("a folder outside", conn.create_terminal(session, "pwd", cwd=str(self.cwd.parent)))
        await self.refused("a terminal that there is not", conn.terminal_output(session, "nothing"))
        env = [schema.EnvVariable(name="WHO", value="me")]
        create = conn.create_terminal(
            session, "sh", args=["-c", "cat alpha.txt; echo $WHO; exit 3"], env=env, cwd=str(self.code.parent), output_byte_limit=1000
        )
        if not ALLOWED:
            said = await self.refused("a command", create)
            check("go on without it" in said, f"a refusal for the model: {said}")
            return
        terminal = (await create).terminal_id
        await self.update(
            acp.start_tool_call("run", "Look at it", kind="execute", status="in_progress", content=[acp.tool_terminal_ref(terminal)])
        )
        ended = await conn.wait_for_terminal_exit(session, terminal)
        check((ended.exit_code, ended.signal) == (3, None), f"its end: {ended}")
        output = await conn.terminal_output(session, terminal)
        check((output.output, output.truncated) == ("one\nme\n", False), f"its output: {output}")
        check(output.exit_status and output.exit_status.exit_code == 3, f"its status: {output}")
        await conn.release_terminal(session, terminal)
        await self.refused("a released terminal", conn.terminal_output(session, terminal))
        await self.update(acp.update_tool_call("run", status="failed"))

        long = (await conn.create_terminal(session, "sh", args=["-c", "echo begun; exec sleep 600"])).terminal_id
        while "begun" not in (output := await conn.terminal_output(session, long)).output:
            check(output.exit_status is None, f"it runs: {output}")
        waiting = asyncio.ensure_future(conn.wait_for_terminal_exit(session, long))
        await conn.kill_terminal(session, long)
        ended = await waiting
        check(ended.exit_code is None and ended.signal, f"killed: {ended}")
        check((await conn.terminal_output(session, long)).output == "begun\n", "what was said before it was killed")
        await conn.release_terminal(session, long)

        short = (await conn.create_terminal(session, "printf", args=["aäöü"], output_byte_limit=5)).terminal_id
        await conn.wait_for_terminal_exit(session, short)
        output = await conn.terminal_output(session, short)
        check((output.output, output.truncated) == ("öü", True), f"the end of its output: {output}")
        # Some are forgotten.
        await conn.create_terminal(session, "sleep", args=["600"])


if __name__ == "__main__":
    # The SDK counts resuming among what may yet change.
    asyncio.run(acp.run_agent(Agent(), use_unstable_protocol=True))
