using System.Globalization;
using System.Text;
using System.Text.Json;
using Atrium.Core.Events;

namespace Atrium.Core.Webhooks;

/// <summary>What the house's own two dialects say of an event. The addresses and the program that it came from stay in the log.</summary>
public static class WebhookBodies
{
    /// <summary>The body of the message about an event that the dialect has a name for.</summary>
    /// <param name="source">What CloudEvents calls the source: the realm's address.</param>
    public static string Write(WebhookDialect dialect, Event happened, string source, AuthKitFacts facts) => dialect switch
    {
        WebhookDialect.Standard => Text(json => WriteStandard(json, happened)),
        WebhookDialect.Cloudevents => Text(json => WriteCloudEvent(json, happened, source)),
        _ => AuthKitEvents.Write(happened, facts),
    };

    /// <summary>The media type of the body.</summary>
    public static string ContentType(WebhookDialect dialect) =>
        dialect == WebhookDialect.Cloudevents ? "application/cloudevents+json" : "application/json";

    /// <summary>UTC with milliseconds, as RFC 3339 has it.</summary>
    internal static string Timestamp(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    internal static string Text(Action<Utf8JsonWriter> write)
    {
        using MemoryStream bytes = new();
        using (Utf8JsonWriter json = new(bytes))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    /// <summary>Standard Webhooks 1.0, "payload structure": type, timestamp and data; the rest stands beside them.</summary>
    private static void WriteStandard(Utf8JsonWriter json, Event happened)
    {
        json.WriteString("type", happened.Type);
        json.WriteString("timestamp", Timestamp(happened.CreatedAt));
        json.WriteString("id", happened.Id.ToString());
        json.WriteString("organization_id", happened.OrganizationId?.ToString());
        json.WriteString("user_id", happened.UserId?.ToString());
        json.WriteString("client_id", happened.ClientId);
        json.WriteStartObject("actor");
        json.WriteString("type", ActorOf(happened));
        json.WriteString("id", happened.Actor.Id);
        json.WriteEndObject();
        Raw(json, "data", happened.Data);
        if (happened.Changed is not { } changed)
            return;
        json.WriteStartArray("changed");
        foreach (string field in changed)
            json.WriteStringValue(field);
        json.WriteEndArray();
    }

    /// <summary>
    /// The JSON format of CloudEvents 1.0 (section 3). An attribute is a text and never null; names of extensions are lower-case letters and
    /// digits.
    /// </summary>
    private static void WriteCloudEvent(Utf8JsonWriter json, Event happened, string source)
    {
        json.WriteString("specversion", "1.0");
        json.WriteString("id", happened.Id.ToString());
        json.WriteString("source", source);
        json.WriteString("type", happened.Type);
        json.WriteString("subject", happened.Subject);
        json.WriteString("time", Timestamp(happened.CreatedAt));
        json.WriteString("datacontenttype", "application/json");
        Extension("organizationid", happened.OrganizationId?.ToString());
        Extension("userid", happened.UserId?.ToString());
        Extension("clientid", happened.ClientId);
        Extension("actortype", ActorOf(happened));
        Extension("actorid", happened.Actor.Id);
        Extension("changed", happened.Changed is { } changed ? string.Join(',', changed) : null);
        Raw(json, "data", happened.Data);

        void Extension(string name, string? value)
        {
            if (value is not null)
                json.WriteString(name, value);
        }
    }

    private static string ActorOf(Event happened) => JsonNamingPolicy.SnakeCaseLower.ConvertName(happened.Actor.Type.ToString());

    private static void Raw(Utf8JsonWriter json, string name, string value)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(value);
    }
}
