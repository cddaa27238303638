using Atrium.Server.Hosting;
using Atrium.Storage;

namespace Atrium.Server.Http;

/// <summary>
/// Why the server can't do just now what it was asked, through no fault of the request (RFC 9110 section 15.6.4). Each door says it in its own
/// envelope: the endpoint's <see cref="UnavailableAnswers"/>.
/// </summary>
/// <param name="Id">Stable, and documented in docs/errors.md.</param>
/// <param name="Wait">When to come again.</param>
public sealed record Unavailable(string Id, string Sentence, TimeSpan Wait)
{
    /// <summary>What every door calls it; RFC 6749 section 4.1.2.1 has the word.</summary>
    public const string Code = "temporarily_unavailable";

    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan While = TimeSpan.FromSeconds(5);

    /// <summary>More passwords wait to be checked than can be in good time.</summary>
    public static readonly Unavailable Hashing = new("ATR9100", "The server is busy. Try again in a moment.", Moment);

    /// <summary>No resolver told what a domain says of itself.</summary>
    public static readonly Unavailable Dns = new("ATR9109", "The DNS could not be asked about the domain. Try again in a moment.", While);

    /// <summary>This node lacks what it takes to calculate with an Ed25519 key; another may have it.</summary>
    public static readonly Unavailable Ed25519 = new("ATR9110", "This server lacks the library for EdDSA signatures: its operator should install libsodium.", While);

    private static readonly Unavailable InDoubt = new(
        "ATR9108", "The database did not confirm the change in time: it may have been made, or not.", While);

    public string Description => $"{Sentence} ({Id})";

    public static Unavailable Of(DatabaseUnavailableException e) => e.MayHaveBeenDone ? InDoubt : Of(e.Trouble);

    public static Unavailable Of(DatabaseTrouble trouble) => trouble switch
    {
        DatabaseTrouble.Unreachable => new("ATR9101", "The database can't be reached. Try again in a moment.", While),
        DatabaseTrouble.Overloaded => new("ATR9102", "The database is busy. Try again in a moment.", Moment),
        DatabaseTrouble.Slow => new("ATR9103", "The database did not answer in time. Try again in a moment.", While),
        DatabaseTrouble.Locked => new("ATR9104", "The database is locked. Try again in a moment.", Moment),
        DatabaseTrouble.ReadOnly => new("ATR9105", "The database takes no changes. Try again later.", While),
        DatabaseTrouble.Full => new("ATR9106", "The database has no room. Try again later.", While),
        _ => new("ATR9107", "The database fails. Try again later.", While),
    };

    /// <summary>What every envelope has outside of its body: the wait, and the request's line in the log.</summary>
    public void Announce(HttpContext context)
    {
        RetryAfter.Set(context.Response, Wait);
        context.Response.Headers.CacheControl = "no-store";
        context.NoteRefusal(Id);
    }
}

/// <summary>How the endpoints say that they are unavailable; the last that is said of one counts.</summary>
public static class UnavailableAnswers
{
    public static TBuilder AnswersUnavailable<TBuilder>(this TBuilder route, Func<HttpContext, Unavailable, IResult> answer)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new UnavailableAnswer(answer));

    /// <summary>The answer of the endpoint that the request was for; null where none has one.</summary>
    public static IResult? Answer(this Unavailable why, HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<UnavailableAnswer>()?.Answer(context, why);

    private sealed record UnavailableAnswer(Func<HttpContext, Unavailable, IResult> Answer);
}
