using System.Text.Json;
using Atrium.Server.Cli;
using Atrium.Server.Demo;
using Shouldly;

namespace Atrium.Tests.Harness;

/// <summary>Somebody at a shell on another machine: types verbs that go to a server over its management API.</summary>
internal sealed record Typist(DemoServer Server)
{
    /// <summary>Columns of their terminal; null when what is written goes into a pipe.</summary>
    public int? Width { get; init; }

    public bool Colours { get; init; }

    /// <summary>What they type when they are asked; null when nobody is there to be asked.</summary>
    public string? Answers { get; init; }

    /// <summary>What comes through a pipe.</summary>
    public string Input { get; init; } = "";

    public string Key { get; init; } = DemoRealm.ApiKey;

    /// <summary>A key of the whole server, for who runs it.</summary>
    public string? OperatorKey { get; init; }

    public string Realm { get; init; } = DemoRealm.Handle;

    /// <summary>Somebody at the same server with the key of a fresh realm, which somebody on the database's machine has made.</summary>
    public async Task<Typist> InNewRealmAsync(string handle)
    {
        string[] here = ["--database", Server.Options.Database, "--key-file", Server.Options.KeyFile!];
        await DoAsync(["realms", "create", handle, .. here]);
        string made = await DoAsync(["keys", "create", "--realm", handle, .. here]);
        return this with { Realm = handle, Key = made.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1] };
    }

    public async Task<VerbResult> TypeAsync(params string[] arguments)
    {
        using StringWriter output = new();
        using StringWriter errors = new();
        int exit = await CommandLine.RunAsync(arguments, ShellOf(output, errors), CancellationToken.None);
        return new VerbResult(exit, output.ToString(), errors.ToString());
    }

    /// <summary>The same, where it must be done.</summary>
    public async Task<string> DoAsync(params string[] arguments)
    {
        VerbResult result = await TypeAsync(arguments);
        result.ExitCode.ShouldBe(ExitCode.Done, result.Errors);
        return result.Output;
    }

    /// <summary>The one object that a verb with <c>--json</c> writes.</summary>
    public async Task<JsonElement> JsonAsync(params string[] arguments) => (await LinesAsync(arguments)).ShouldHaveSingleItem();

    /// <summary>The objects that a verb with <c>--json</c> writes, one a line.</summary>
    public async Task<IReadOnlyList<JsonElement>> LinesAsync(params string[] arguments) => LinesOf(await DoAsync([.. arguments, "--json"]));

    public static IReadOnlyList<JsonElement> LinesOf(string output) =>
        [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonElement.Parse(line))];

    public Shell ShellOf(TextWriter output, TextWriter errors) => new()
    {
        Output = output,
        Error = errors,
        Input = new StringReader(Answers ?? Input),
        Width = Width,
        Colours = Colours,
        CanAsk = Answers is not null,
        Clock = Server.Clock,
        Environment = name => name switch
        {
            "ATRIUM_SERVER" => Server.Url,
            "ATRIUM_API_KEY" => Key,
            "ATRIUM_REALM" => Realm,
            "ATRIUM_OPERATOR_KEY" => OperatorKey,
            _ => null,
        },
    };
}
