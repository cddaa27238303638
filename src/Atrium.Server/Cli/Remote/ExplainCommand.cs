using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Atrium.Server.Cli.Remote;

/// <summary><c>atrium explain</c>: why somebody can or can't sign in, and what the token would say. Decides nothing: it writes what the server found.</summary>
internal sealed class ExplainCommand(Shell shell, Access access)
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    private readonly Argument<string> user = new("user") { Description = "Their id, email or username." };
    private readonly Option<string> client = new("--client") { Description = "The client_id of the application that they sign in to.", Required = true };
    private readonly Option<string?> organization = new("--organization") { Description = "The organization that it is for, by its id or handle." };
    private readonly Option<string> door = Arguments.Choice("--door", "The wire format it comes through, the one that the client is set up for otherwise:", "oauth", "authkit", "app_native");

    public Command Build() => Call.Verb(
        "explain",
        "Says why somebody can or can't sign in, step by step, and what the token would say. Nobody is signed in.",
        shell,
        access.OpenRealm,
        [user, client, organization, door, Call.Json],
        RunAsync);

    private async Task<int> RunAsync(Call call, CancellationToken cancellationToken)
    {
        JsonObject question = new()
        {
            ["user"] = call.Parsed.GetRequiredValue(user),
            ["client_id"] = call.Parsed.GetRequiredValue(client),
            ["organization"] = call.Parsed.GetValue(organization),
            ["door"] = call.Parsed.GetValue(door),
        };
        JsonElement explained = (await call.Api.PostAsync("/explain/sign-in", question, cancellationToken)).Data;
        if (call.InJson)
            call.Show(explained);
        else
            Tell(explained);
        return ExitCode.Done;
    }

    private void Tell(JsonElement explained)
    {
        string colour = FieldText.At(explained, "outcome") switch
        {
            "signs_in" => Colour.Good,
            "refused" => Colour.Bad,
            _ => Colour.Warning,
        };
        shell.Output.WriteLine(shell.Paint(Printable.Text(FieldText.At(explained, "summary")), colour));
        Section("Steps");
        foreach ((int i, JsonElement step) in explained.GetProperty("steps").EnumerateArray().Index())
            Line($"{i + 1}. {FieldText.At(step, "message")}");
        if (explained.GetProperty("obstacles").GetArrayLength() > 0)
            Section("In the way");
        foreach (JsonElement obstacle in explained.GetProperty("obstacles").EnumerateArray())
            Line($"{FieldText.At(obstacle, "code")}: {FieldText.At(obstacle, "message")}");
        if (explained.GetProperty("organizations").GetArrayLength() > 0)
            Section("Organizations");
        foreach (JsonElement one in explained.GetProperty("organizations").EnumerateArray())
        {
            bool isInToken = one.GetProperty("in_token").GetBoolean();
            Line($"{(isInToken ? "in the token" : "left out    ")}  {FieldText.At(one, "name")} ({FieldText.At(one, "id")})");
            foreach (JsonElement obstacle in one.GetProperty("obstacles").EnumerateArray())
                Line($"              {FieldText.At(obstacle, "message")}");
        }

        if (explained.GetProperty("claims") is not { ValueKind: JsonValueKind.Object } claims)
            return;
        Section("Claims of the access token");
        foreach (string line in JsonSerializer.Serialize(claims, Readable).Split('\n'))
            Line(line);
    }

    private void Section(string heading) => shell.Output.WriteLine($"\n{shell.Paint(heading, Colour.Heading)}");

    private void Line(string text) => shell.Output.WriteLine($"  {Printable.Text(text)}");
}
