using System.Data.Common;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>Takes what a change says of itself, and writes it in the change's own transaction.</summary>
public sealed class EventLog
{
    /// <summary>What a row is made of, as <see cref="Database.RowsOf"/> wants it.</summary>
    private const string RowColumns =
        """
        id uuid, type text, created_at bigint, subject text, organization_id uuid, user_id uuid, client_id text, actor text, request_id text, data text,
        changed text
        """;

    private static readonly string Names = string.Join(", ", JsonRows.NamesOf(RowColumns));

    private readonly List<EventDraft> drafts = [];
    private readonly List<Change> told = [];

    internal bool IsEmpty => drafts.Count == 0;

    /// <summary>What this node is told once the change is committed.</summary>
    internal IReadOnlyList<Change> Told => told;

    public void Add(EventDraft happened) => drafts.Add(happened);

    internal void TellAfter(Change change) => told.Add(change);

    /// <summary>All of them in one statement.</summary>
    internal Task WriteAsync(DbConnection connection, Database database, Id<Realm> realm, Origin origin) =>
        connection.ExecuteAsync(InsertText(database), new { realm, events = RowsOf(drafts, origin, database.Time) });

    /// <summary>The statement, for a text of several: with <c>@realm</c> and the rows as <c>@events</c>.</summary>
    /// <param name="condition">What must hold for them to be written.</param>
    internal static string InsertText(Database database, string condition = "TRUE") =>
        $"""
        INSERT INTO fresh_events (realm_id, inserted_at, {Names})
        SELECT @realm, {database.Moment}, {Names} FROM {database.RowsOf("@events", RowColumns)} WHERE {condition}
        """;

    internal static string RowsOf(IEnumerable<EventDraft> drafts, Origin origin, TimeProvider clock)
    {
        DateTimeOffset now = clock.GetUtcNow();
        string actor = SqlTypes.Json(EventActor.Of(origin));
        return JsonRows.Write(drafts.Select(draft => new
        {
            Id = Id<Event>.New(clock).Value.ToString("N"),
            draft.Type,
            CreatedAt = now.ToUnixTimeMilliseconds(),
            draft.Subject,
            OrganizationId = draft.OrganizationId?.Value.ToString("N"),
            UserId = draft.UserId?.Value.ToString("N"),
            ClientId = draft.ClientId ?? origin.ClientId,
            Actor = actor,
            origin.RequestId,
            draft.Data,
            Changed = draft.Changed is null ? null : JsonSerializer.Serialize(draft.Changed),
        }));
    }
}
