%% The processes of a scenario: workers that do as their spec says, OTP's supervisors, and the one that takes notes.
-module(children).
-export([start_worker/2, start_supervisor/1, child_spec/1, begin_notes/0, ask/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2, log/2]).

%% No restart of a scenario is forgotten.
-define(PERIOD, 1000000).

child_spec({Path, #{restart := Restart, significant := Significant, type := Type} = Spec}) ->
    Start = case Type of
        worker -> {?MODULE, start_worker, [Path, Spec]};
        supervisor -> {?MODULE, start_supervisor, [{Path, Spec}]}
    end,
    #{id => Path, start => Start, restart => Restart, significant => Significant, type => Type}.

start_worker(Path, Spec) ->
    ets:insert(specs, {Path, Spec}),
    gen_server:start_link(?MODULE, {worker, Path, Spec}, []).

start_supervisor({Path, Spec}) ->
    ets:insert(specs, {Path, Spec}),
    case supervisor:start_link(?MODULE, {supervisor, Path, Spec}) of
        {ok, Pid} -> ask({up, Path, Pid}), {ok, Pid};
        Failed -> ask({note, $!, Path}), Failed
    end.

init({supervisor, Path, #{strategy := Strategy, intensity := Intensity, auto := Auto, kids := Kids, template := Template}}) ->
    ets:insert(pids, {Path, self()}),
    Flags = #{intensity => Intensity, period => ?PERIOD, auto_shutdown => Auto},
    case Strategy of
        dynamic ->
            Kid = Template#{id => kid, start => {?MODULE, start_worker, []}},
            {ok, {Flags#{strategy => simple_one_for_one}, [Kid]}};
        _ -> {ok, {Flags#{strategy => Strategy}, [child_spec(Kid) || Kid <- Kids]}}
    end;
init({worker, Path, #{starts := Starts, key := Key}}) ->
    process_flag(trap_exit, true),
    Nth = ets:update_counter(starts, Key, 1, {Key, 0}),
    case lists:nth(min(Nth, length(Starts) + 1), Starts ++ [up]) of
        up ->
            ets:insert(pids, {Path, self()}),
            ets:insert(names, {self(), Path}),
            ask({note, $+, Path}),
            {ok, Path};
        fails ->
            driver ! {failing, self()},
            receive go -> ok end,
            ask({note, $!, Path}),
            {stop, no_disk};
        declines ->
            ask({note, $~, Path}),
            ignore
    end.

handle_call(_, _, Path) -> {reply, ok, Path}.
handle_cast(crash, Path) -> {stop, crashed, Path};
handle_cast(finish, Path) -> {stop, normal, Path}.
handle_info({'EXIT', _, Reason}, Path) -> {stop, Reason, Path}.
terminate(_, Path) -> ask({note, $-, Path}).

%% Of all that OTP logs, this one is of interest.
log(#{msg := {report, #{label := {supervisor, shutdown}, report := Report}}}, _) ->
    case proplists:get_value(reason, Report) of
        reached_max_restart_intensity ->
            [[Path]] = ets:match(pids, {'$1', self()}),
            ask({note, $^, Path});
        _ -> ok
    end;
log(_, _) -> ok.

begin_notes() -> register(recorder, spawn_link(fun() -> recorder([]) end)).

ask(What) ->
    recorder ! {self(), What},
    receive {recorded, Answer} -> Answer end.

recorder(Trace) ->
    receive
        {From, take} -> From ! {recorded, lists:reverse(Trace)}, recorder([]);
        {From, finish} -> From ! {recorded, ok};
        {From, {note, Sign, Path}} ->
            From ! {recorded, ok},
            recorder([[Sign | name(Path)] | Trace]);
        {From, {up, Path, Pid}} ->
            monitor(process, Pid),
            put(Pid, Path),
            From ! {recorded, ok},
            recorder([[$+ | name(Path)] | Trace]);
        {'DOWN', _, _, Pid, _} -> recorder([[$- | name(get(Pid))] | Trace])
    end.

name(Path) -> filename:basename(Path).
