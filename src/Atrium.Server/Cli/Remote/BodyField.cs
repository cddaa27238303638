using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Atrium.Server.Cli.Remote;

/// <summary>An option that becomes a field of a request's body when it is given.</summary>
internal sealed record BodyField(Option Option, Action<ParseResult, JsonObject> Write)
{
    public static BodyField Text(string option, string path, string description, bool required = false)
    {
        Option<string> text = new(option) { Description = description, Required = required };
        return Of(text, path, static value => value);
    }

    public static BodyField Choice(string option, string path, string description, params string[] choices) =>
        Of(Arguments.Choice(option, description, choices), path, static value => value);

    public static BodyField Flag(string option, string path, string description)
    {
        Option<bool> flag = new(option) { Description = description };
        return Of(flag, path, static value => value);
    }

    public static BodyField Whole(string option, string path, string description) => Of(Arguments.Whole(option, description), path, static value => value);

    /// <summary>The option may be given several times.</summary>
    public static BodyField List(string option, string path, string description, bool required = false)
    {
        Option<string[]> list = new(option) { Description = description, Required = required };
        return Of(list, path, static values => new JsonArray([.. values.Select(static value => JsonValue.Create(value))]));
    }

    /// <summary>A time, or a time from now.</summary>
    public static BodyField Moment(string option, string path, string description, TimeProvider clock)
    {
        Option<DateTimeOffset> moment = Arguments.Moment(option, description, clock, ahead: true);
        return Of(moment, path, static value => value.ToUnixTimeMilliseconds());
    }

    /// <summary>Any field of the API, those that have no option of their own too.</summary>
    public static BodyField Any()
    {
        Option<string[]> set = new("--set")
        {
            Description = "Any field, as FIELD=VALUE: settings.mfa_required=true, metadata.plan=gold, title=null. What is JSON is taken as JSON, the rest as text.",
            HelpName = "FIELD=VALUE",
        };
        set.Validators.Add(result =>
        {
            foreach (string given in result.Tokens.Select(static token => token.Value))
            {
                if (given.IndexOf('=', StringComparison.Ordinal) <= 0)
                    result.AddError($"--set takes FIELD=VALUE, not \"{given}\".");
            }
        });
        return new BodyField(set, (parsed, body) =>
        {
            foreach (string given in parsed.GetValue(set) ?? [])
            {
                string[] parts = given.Split('=', 2);
                Put(body, parts[0], ValueOf(parts[1]));
            }
        });
    }

    /// <summary>A field of a fixed value, for a verb that says it all.</summary>
    public static void Put(JsonObject body, string path, JsonNode? value)
    {
        string[] names = path.Split('.');
        foreach (string name in names[..^1])
        {
            if (body[name] is not JsonObject inner)
                body[name] = inner = [];
            body = inner;
        }

        body[names[^1]] = value;
    }

    private static BodyField Of<T>(Option<T> option, string path, Func<T, JsonNode?> json) => new(option, (parsed, body) =>
    {
        if (parsed.GetResult(option) is { Implicit: false })
            Put(body, path, json(parsed.GetRequiredValue(option)));
    });

    private static JsonNode? ValueOf(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException)
        {
            return text;
        }
    }
}
