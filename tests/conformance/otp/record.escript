#!/usr/bin/env escript
%%! +S 1
%% Makes up scenarios, plays each on OTP's own `supervisor`, and prints what that does:
%%
%%     escript tests/conformance/otp/record.escript 500 > tests/conformance/otp/scenarios.txt
%%
%% The same count gives the same scenarios. README.md beside this file says how to read them.
-module(record).
-mode(compile).
-export([main/1]).

-define(APP, "app").

main([Count]) ->
    logger:remove_handler(default),
    {ok, Module, Code} = compile:file(filename:join(filename:dirname(escript:script_name()), "children"), [binary]),
    {module, Module} = code:load_binary(Module, "children.erl", Code),
    ok = logger:add_handler(gave_up, Module, #{}),
    Release = filename:join([code:root_dir(), "releases", erlang:system_info(otp_release), "OTP_VERSION"]),
    {ok, Version} = file:read_file(Release),
    io:format("OTP ~s", [Version]),
    lists:foreach(fun scenario/1, lists:seq(1, list_to_integer(Count))).

scenario(Number) ->
    rand:seed(exsss, Number),
    %% Crashes at the same time, or orders between a failed start and the next: never both in one scenario.
    put(together, rand:uniform(3) < 3),
    put(kill, 1),
    [ets:new(Table, [named_table, public]) || Table <- [pids, names, starts, specs]],
    register(driver, self()),
    children:begin_notes(),
    Tree = make_supervisor(?APP, {permanent, false}),
    io:format("~nscenario ~b~n", [Number]),
    show(?APP, Tree),
    Keeper = spawn_link(fun() -> keep(Tree) end),
    step("begin", fun() -> Keeper ! {start, self()}, receive {begun, Answer} -> Answer end end),
    steps(4 + rand:uniform(5)),
    is_up(?APP) andalso step("stop", fun() -> Keeper ! {stop, self()}, receive stopped -> ok end end),
    Keeper ! finish,
    children:ask(finish),
    unregister(driver),
    [ets:delete(Table) || Table <- [pids, names, starts, specs]].

%% The process to which the tree is linked.
keep(Tree) ->
    process_flag(trap_exit, true),
    receive {start, From} -> From ! {begun, answer(children:start_supervisor({?APP, Tree}))} end,
    receive {stop, By} -> exit(pid(?APP), shutdown), By ! stopped; finish -> ok end.

%% ----- a tree is made up -----

make_supervisor(Path, {Restart, Significant}) ->
    {Strategies, Names} = case Path of
        ?APP -> {[{3, one_for_one}, {3, one_for_all}, {3, rest_for_one}, {1, dynamic}], ["a", "b", "c", "d"]};
        _ -> {[{2, one_for_one}, {2, one_for_all}, {2, rest_for_one}, {1, dynamic}], ["x", "y", "z"]}
    end,
    Strategy = pick(Strategies),
    Auto = pick([{6, never}, {2, any_significant}, {2, all_significant}]),
    Kids = case Strategy of
        dynamic -> [];
        _ -> make_kids(Path, Auto, lists:sublist(Names, rand:uniform(length(Names))))
    end,
    {KidRestart, KidSignificant} = rules(Auto),
    #{type => supervisor, restart => Restart, significant => Significant, strategy => Strategy,
      intensity => pick([{1, 0}, {1, 1}, {2, 2}, {3, 4}, {3, 8}]), auto => Auto, kids => Kids,
      template => #{restart => KidRestart, significant => KidSignificant}}.

make_kids(Path, Auto, Names) ->
    Inner = case Path =:= ?APP andalso rand:uniform(10) =< 4 of
        true -> any(Names);
        false -> none
    end,
    [case Name of
        Inner -> {Path ++ "/s", make_supervisor(Path ++ "/s", rules(Auto))};
        _ -> {Path ++ "/" ++ Name, make_worker(rules(Auto), pick([{25, up}, {1, fails}, {1, declines}]))}
    end || Name <- Names].

make_worker({Restart, Significant}, First) ->
    Later = case rand:uniform(10) =< case get(together) of true -> 7; false -> 3 end of
        true -> [];
        false -> [pick([{3, up}, {3, fails}, {1, declines}]) || _ <- lists:seq(1, rand:uniform(4))]
    end,
    #{type => worker, restart => Restart, significant => Significant, starts => [First | Later], key => make_ref()}.

rules(Auto) ->
    Restart = pick([{5, permanent}, {3, transient}, {2, temporary}]),
    {Restart, Auto =/= never andalso Restart =/= permanent andalso rand:uniform(10) =< 6}.

pick(Weighted) -> pick(Weighted, rand:uniform(lists:sum([Weight || {Weight, _} <- Weighted]))).
pick([{Weight, Value} | _], Drawn) when Drawn =< Weight -> Value;
pick([{Weight, _} | Rest], Drawn) -> pick(Rest, Drawn - Weight).

any(List) -> lists:nth(rand:uniform(length(List)), List).

%% ----- and what happens to it -----

steps(0) -> ok;
steps(Left) ->
    Special = case {get(together), lists:any(fun will_fail/1, workers_up(?APP))} of
        {true, _} -> {2, both};
        {false, true} -> {15, between};
        {false, false} -> {1, between}
    end,
    is_up(?APP) andalso draw(pick([{6, crash}, {3, finish}, Special, {get(kill), kill}, {9, order}])),
    steps(Left - 1).

draw(order) ->
    {Text, Order} = make_order(any([Sup || Sup <- [?APP, ?APP, ?APP ++ "/s"], spec(Sup) =/= none])),
    step(Text, Order);
draw(kill) ->
    Inner = ?APP ++ "/s",
    is_up(Inner) andalso step(["kill ", Inner], fun() -> exit(pid(Inner), kill), ok end);
draw(both) ->
    case [{Sup, Up} || Sup <- [?APP, ?APP ++ "/s"], Up <- [workers_up(Sup)], length(Up) > 1] of
        [] -> ok;
        Groups ->
            {Sup, Up} = any(Groups),
            One = any(Up),
            Other = any(Up -- [One]),
            step(["crash ", One, " and ", Other], fun() ->
                sys:suspend(pid(Sup)),
                tell(One, crash),
                tell(Other, crash),
                sys:resume(pid(Sup))
            end)
    end;
draw(between) ->
    case workers_up(?APP) of
        [] -> ok;
        Workers ->
            Worker = any(case lists:filter(fun will_fail/1, Workers) of [] -> Workers; Doomed -> Doomed end),
            {Text, Order} = make_order(?APP),
            step(["crash ", Worker, " between ", Text], fun() -> tell(Worker, crash) end, Order)
    end;
draw(End) ->
    case workers_up(?APP) ++ workers_up(?APP ++ "/s") of
        [] -> ok;
        Workers ->
            Worker = any(Workers),
            step([atom_to_list(End), " ", Worker], fun() -> tell(Worker, End) end)
    end.

%% Whether its next start fails.
will_fail(Worker) ->
    #{starts := Starts, key := Key} = spec(Worker),
    lists:sublist(Starts, ets:lookup_element(starts, Key, 2) + 1, 1) =:= [fails].

make_order(Sup) ->
    #{strategy := Strategy, auto := Auto, template := Template} = spec(Sup),
    Known = lists:sort([Path || {Path, _} <- ets:tab2list(specs), parent(Path) =:= Sup]),
    Down = [Path || Path <- Known, not is_up(Path)],
    Child = case Down =/= [] andalso rand:uniform(3) of
        1 -> any(Down);
        _ -> any([Sup ++ "/q" | Known ++ Known])
    end,
    case pick(case lists:member(Child, Down) of
        true -> [{1, terminate_child}, {4, restart_child}, {4, delete_child}, {2, start_child}];
        false -> [{4, terminate_child}, {1, restart_child}, {1, delete_child}, {3, start_child}]
    end) of
        start_child ->
            Path = case rand:uniform(3) of
                1 when Strategy =/= dynamic, Child =/= "app/s" -> Child;
                _ -> Sup ++ "/" ++ any(case Sup of ?APP -> ["e", "f", "g", "h"]; _ -> ["u", "v", "w"] end)
            end,
            Rules = case {Strategy, rand:uniform(12)} of
                {dynamic, _} -> {maps:get(restart, Template), maps:get(significant, Template)};
                {_, 1} -> {any([permanent, transient]), true};
                _ -> rules(Auto)
            end,
            Spec = make_worker(Rules, pick([{8, up}, {1, fails}, {1, declines}])),
            {["start ", Path, " ", text(Spec)], fun() -> start_child(Sup, Path, Spec) end};
        Order ->
            [Verb, _] = string:split(atom_to_list(Order), "_"),
            Ref = fun() -> case {Strategy, Order} of
                {dynamic, terminate_child} -> pid(Child);
                _ -> Child
            end end,
            {[Verb, " ", Child], fun() -> answer(catch supervisor:Order(pid(Sup), Ref())) end}
    end.

%% ----- doing it -----

step(Text, Do) -> step(Text, Do, none).

%% Does it, and `Between` once the first start has failed, or when all is quiet.
step(Text, Do, Between) ->
    spawn_link(fun() -> driver ! {done, Do()} end),
    Answer = settle(Between, none, 0),
    case {lists:flatten(Text), Answer} of
        {"delete app/s/" ++ _, ok} -> put(kill, 9); % Does it come back?
        _ -> ok
    end,
    io:format("> ~s ; ~s ; ~s ; ~s~n", [Text, Answer, lists:join(" ", children:ask(take)), lists:join(" ", state(?APP))]).

settle(Between, Answer, Quiet) ->
    receive
        {done, New} -> settle(Between, New, 0);
        {failing, Pid} when Between =/= none ->
            give(Between),
            wait_for_order(pid(?APP)),
            Pid ! go,
            settle(none, none, 0);
        {failing, Pid} ->
            Pid ! go,
            settle(Between, Answer, 0)
    after 0 ->
        IsQuiet = erlang:statistics(total_run_queue_lengths) =:= 0,
        erlang:yield(),
        if
            not IsQuiet -> settle(Between, Answer, 0);
            Quiet < 5 -> settle(Between, Answer, Quiet + 1);
            Answer =:= none -> settle(Between, Answer, Quiet);
            Between =/= none -> give(Between), settle(none, none, 0);
            true -> Answer
        end
    end.

give(Order) -> spawn_link(fun() -> driver ! {done, Order()} end).

%% It starts a child that is about to fail; the order is to be the next that it reads.
wait_for_order(Sup) ->
    case process_info(Sup, message_queue_len) of
        {message_queue_len, 0} -> erlang:yield(), wait_for_order(Sup);
        _ -> ok
    end.

tell(Worker, End) ->
    Ref = monitor(process, pid(Worker)),
    gen_server:cast(pid(Worker), End),
    receive {'DOWN', Ref, _, _, _} -> ok end.

start_child(Sup, Path, Spec) ->
    Args = case spec(Sup) of
        #{strategy := dynamic} -> [Path, Spec];
        _ -> children:child_spec({Path, Spec})
    end,
    case answer(catch supervisor:start_child(pid(Sup), Args)) of
        Refused when Refused =:= already_started; Refused =:= already_present; Refused =:= bad_combination ->
            Refused;
        Answer ->
            ets:insert(specs, {Path, Spec}),
            Answer
    end.

answer(ok) -> ok;
answer({ok, undefined}) -> declined;
answer({ok, _}) -> ok;
answer({error, {Error, _}}) when Error =:= already_started; Error =:= bad_combination -> Error;
answer({error, Error}) when Error =:= not_found; Error =:= running; Error =:= restarting;
    Error =:= already_present; Error =:= simple_one_for_one -> Error;
answer({error, _}) -> failed;
answer({'EXIT', _}) -> ended.

%% ----- looking -----

pid(Path) -> case ets:lookup(pids, Path) of [{_, Pid}] -> Pid; [] -> self() end.
spec(Path) -> case ets:lookup(specs, Path) of [{_, Spec}] -> Spec; [] -> none end.
is_up(Path) -> pid(Path) =/= self() andalso is_process_alive(pid(Path)).
parent(Path) -> string:trim(filename:dirname(Path), trailing, "/").

workers_up(Sup) ->
    lists:sort([Path || {Path, #{type := worker}} <- ets:tab2list(specs), parent(Path) =:= Sup, is_up(Path)]).

%% Who is up (`a`) and who is down (`-a`), and how many restarts of a supervisor are used (`app#1`).
state(Path) ->
    case is_up(Path) of
        false -> [["-", short(Path)]];
        true ->
            Used = length(element(8, sys:get_state(pid(Path)))),
            Kids = lists:reverse([kid_state(Kid) || Kid <- supervisor:which_children(pid(Path))]),
            Sorted = case spec(Path) of #{strategy := dynamic} -> lists:sort(Kids); _ -> Kids end,
            [[short(Path), "#", integer_to_list(Used)] | lists:append(Sorted)]
    end.

%% A dynamic child that declines when it is restarted leaves this behind.
kid_state({undefined, undefined, _, _}) -> ["-?"];
kid_state({Path, undefined, _, _}) -> [["-", short(Path)]];
kid_state({Path, Pid, supervisor, _}) when is_pid(Pid) -> state(Path);
kid_state({_, Pid, worker, _}) when is_pid(Pid) -> [short(ets:lookup_element(names, Pid, 2))].

short(Path) -> case string:prefix(Path, "app/") of nomatch -> Path; Short -> Short end.

show(Path, Spec) ->
    io:format("  ~s ~s~n", [Path, text(Spec)]),
    [show(Kid, KidSpec) || {Kid, KidSpec} <- maps:get(kids, Spec, [])].

text(#{restart := Restart, significant := Significant} = Spec) ->
    Own = case Spec of
        #{starts := Starts} -> [" ", [maps:get(Start, #{up => $., fails => $x, declines => $~}) || Start <- Starts]];
        #{strategy := dynamic, template := #{restart := KidRestart, significant := KidSignificant}} ->
            [conduct(Spec), " of ", atom_to_list(KidRestart), significant(KidSignificant)];
        _ -> conduct(Spec)
    end,
    [atom_to_list(Restart), significant(Significant), Own].

conduct(#{strategy := Strategy, intensity := Intensity, auto := Auto}) ->
    io_lib:format(" ~s ~b ~s", [Strategy, Intensity, Auto]).
significant(true) -> " significant";
significant(false) -> "".
