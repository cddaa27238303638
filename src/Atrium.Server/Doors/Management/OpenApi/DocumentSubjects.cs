using System.Text.Json.Nodes;

namespace Atrium.Server.Doors.Management.OpenApi;

/// <summary>What a document is about, and what it says beside its operations.</summary>
/// <param name="Description">What a reader must know before the first call, in paragraphs.</param>
/// <param name="Schemes">How callers show who they are; a route's scope stands with each of them.</param>
/// <param name="Describes">Whether a route belongs to it.</param>
internal sealed record DocumentSubject(string Title, string Description, JsonObject Schemes, Func<RouteEndpoint, bool> Describes);

internal static class DocumentSubjects
{
    private const string Common =
        """
        Bodies are JSON with names in `snake_case`; times are Unix milliseconds. A field that doesn't exist is refused with 422, so a typing error never passes silently.

        One thing is answered as `{"data":{...}}` with a strong `ETag`; send it as `If-Match` with PATCH or DELETE, and the answer is 412 if somebody changed the thing since. PATCH is a JSON merge patch (RFC 7396): what is left out stays, null removes. A list is answered as `{"data":[...],"has_more":...,"next_cursor":...}`, newest first unless said; its cursors neither skip nor repeat, whatever is added meanwhile.

        A refusal is `{"error","error_description","request_id"}`, and of a body that can't be also `errors`, which points at each field with a JSON pointer.
        """;

    public static DocumentSubject Management { get; } = new(
        "Management API",
        $"""
        What a product's back end does that is not a sign-in: people, organizations, clients, keys, webhooks and the log of what happened, in one realm.

        Call it with an API key of the realm, as `Authorization: Bearer sk_...` or with HTTP Basic, the key's id and its secret. A key may do what its scopes name and nothing else; `*:**` is everything. What belongs to another realm is not found, whatever the key.

        {Common}

        Every POST takes an `Idempotency-Key`: sent again with the same body within 24 hours, it is done once, and answered as before with `Idempotent-Replayed: true`.
        """,
        new JsonObject
        {
            ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["description"] = "The secret of an API key: `sk_...`." },
            ["basic"] = new JsonObject { ["type"] = "http", ["scheme"] = "basic", ["description"] = "The id of an API key, and its secret." },
        },
        static route => Path(route).StartsWith($"{ManagementDoor.RealmPath}/", StringComparison.Ordinal));

    public static DocumentSubject Operator { get; } = new(
        "Operator API",
        $"""
        Makes, changes and deletes the realms of this installation.

        Call it with an operator key, as `Authorization: Bearer ok_...`. It is made on the machine that has the database, with `atrium keys create --operator`, and opens nothing inside of a realm.

        {Common}
        """,
        new JsonObject
        {
            ["operator"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["description"] = "The secret of an operator key: `ok_...`." },
        },
        static route => Path(route) is ManagementDoor.RealmsPath or ManagementDoor.RealmPath);

    /// <summary>What a group maps at its own path has a slash behind it that nobody has to send.</summary>
    private static string Path(RouteEndpoint route) => route.RoutePattern.RawText!.TrimEnd('/');
}
