using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.Users;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Events;

/// <summary><c>/events</c>: what happened. It is the audit log, and it can be followed and taken away.</summary>
public static class EventsEndpoints
{
    private const int LongestWait = 30;
    private const int ExportedAtATime = 100;

    private static readonly Parameter<IReadOnlyList<string>> Types = Parameter.Texts(
        Field.List("types", Field.Text("type", max: 100).Check(static type => EventTypes.Matching(type).Count == 0 ? $"There is no event type \"{type}\"." : null), max: 50)
            .Describe("Only these types, separated by commas; `organization.*` stands for all that begin so."));

    private static readonly Parameter<Id<Organization>?> OfOrganization = Parameter.Text(Field.IdOf<Organization>("organization_id").Describe("Only what concerns this organization."));

    private static readonly Parameter<Id<User>?> OfUser = Parameter.Text(Field.IdOf<User>("user_id").Describe("Only what concerns this person."));

    private static readonly Parameter<string> OfClient = Parameter.Text(Field.Text("client_id", max: 200).Describe("Only what came through, or concerns, this client."));

    private static readonly Parameter<DateTimeOffset?> After = Parameter.Plain(Field.Moment("after").Describe("Nothing earlier than this, in Unix milliseconds."));

    private static readonly Parameter<DateTimeOffset?> Before = Parameter.Plain(Field.Moment("before").Describe("Only what is earlier than this, in Unix milliseconds."));

    private static readonly Parameter<bool?> OldestFirst = Parameter.Text(
        Field.Choice("order", ("desc", false), ("asc", true)).Describe("`desc`, newest first, unless said; `asc` to read on from a cursor: then `next_cursor` is never null."));

    private static readonly Parameter<int?> Wait = Parameter.Plain(
        Field.Whole("wait", 0, LongestWait).Describe("With `order=asc`: when there is nothing yet, answer as soon as there is, or after so many seconds."));

    private static readonly Parameter<long?> Cursor = new(
        new Field<long?>(
            "cursor",
            static () => new() { ["type"] = "string", ["pattern"] = "^[0-9]{1,18}$" },
            static (value, place, problems) =>
            {
                if (value.GetString() is { Length: > 0 and <= 18 } digits && digits.All(char.IsAsciiDigit))
                    return long.Parse(digits);
                problems.Add(new Problem(place, "cursor is none of this list: send next_cursor of the page before as it is."));
                return null;
            }).Describe("Where to go on: `next_cursor` of the page before."),
        static text => JsonSerializer.SerializeToElement(text, PatchJson.Default.String));

    private static readonly Parameter[] Filters = [Types, OfOrganization, OfUser, OfClient, After, Before];

    public static void MapEvents(this RouteGroupBuilder realm)
    {
        RouteGroupBuilder events = realm.MapGroup("/events").WithTags("Events");
        events.MapGet("", ListAsync).Needs(ApiScopes.EventsRead).Takes([QueryReading.Limit, Cursor, OldestFirst, Wait, .. Filters])
            .WithSummary("Lists what happened. A page may have few events, or none, and still more behind it: go on while has_more is true.").AnswersMany<EventResource>();
        events.MapGet("/export", ExportAsync).Needs(ApiScopes.EventsRead).Takes(Filters)
            .WithSummary("Streams what happened, oldest first, one JSON object a line (application/x-ndjson).").AnswersLines<EventResource>();
        events.MapGet("/{id}", GetAsync).Needs(ApiScopes.EventsRead).WithSummary("Shows an event.").AnswersOne<EventResource>();
    }

    private static async Task<IResult> ListAsync(HttpContext context, EventStore events, Database database, TimeProvider clock, CancellationToken cancellationToken)
    {
        EventFilter filter = FilterOf(context);
        int limit = context.PageLimit();
        long? cursor = context.Query(Cursor);
        bool ascending = context.Query(OldestFirst) ?? false;
        int wait = context.Query(Wait) ?? 0;
        if (wait > 0 && !ascending)
            return ManagementError.Invalid("wait needs order=asc: only what is yet to come can be waited for.");

        Id<Realm> realm = context.Caller().Realm;
        using EventBell bell = new(database.Changes, realm);
        long deadline = clock.GetTimestamp() + (wait * clock.TimestampFrequency);
        while (true)
        {
            // What this caller has changed already is in what it reads.
            await events.SequenceAsync(realm, cancellationToken);
            EventPage page = await events.ListAsync(realm, filter, cursor, ascending, limit, cancellationToken);
            TimeSpan left = clock.GetElapsedTime(clock.GetTimestamp(), deadline);
            if (page.Events.Count > 0 || page.HasMore || left <= TimeSpan.Zero || !await bell.RingsAsync(left, clock, cancellationToken))
                return AnswerOf(page, ascending);
            cursor = page.Next;
        }
    }

    private static async Task<IResult> GetAsync(HttpContext context, string id, EventStore events, CancellationToken cancellationToken)
    {
        Id<Realm> realm = context.Caller().Realm;
        await events.SequenceAsync(realm, cancellationToken);
        return Id<Event>.Parse(id) is { } known && await events.FindAsync(realm, known, cancellationToken) is { } found
            ? new One<EventResource>(EventResource.Of(found), ResourceJson.Default.EventResource)
            : ManagementError.NotFound;
    }

    private static async Task<IResult> ExportAsync(HttpContext context, EventStore events, CancellationToken cancellationToken)
    {
        EventFilter filter = FilterOf(context);
        Id<Realm> realm = context.Caller().Realm;
        await events.SequenceAsync(realm, cancellationToken);
        return TypedResults.Stream(
            async lines =>
            {
                for (EventPage page = new([], 0, HasMore: true); page.HasMore;)
                {
                    page = await events.ListAsync(realm, filter, page.Next, ascending: true, ExportedAtATime, cancellationToken);
                    foreach (Event happened in page.Events)
                    {
                        await JsonSerializer.SerializeAsync(lines, EventResource.Of(happened), ResourceJson.Default.EventResource, cancellationToken);
                        await lines.WriteAsync("\n"u8.ToArray(), cancellationToken);
                    }
                }
            },
            "application/x-ndjson");
    }

    private static EventFilter FilterOf(HttpContext context) => new()
    {
        Types = [.. (context.Query(Types) ?? []).SelectMany(EventTypes.Matching).Distinct(StringComparer.Ordinal)],
        Organization = context.Query(OfOrganization),
        User = context.Query(OfUser),
        ClientId = context.Query(OfClient),
        After = context.Query(After),
        Before = context.Query(Before),
    };

    private static Many<EventResource> AnswerOf(EventPage page, bool ascending) => new(
        page.Events.Select(EventResource.Of), ResourceJson.Default.EventResource, page.HasMore, ascending || page.HasMore ? page.Next.ToString() : null);
}
