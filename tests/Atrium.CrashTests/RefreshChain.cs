using System.Diagnostics;

namespace Atrium.CrashTests;

/// <summary>
/// The refresh tokens of one grant, one after the other, as its client knows them: the newest that it was given, and the one that this
/// was given for.
/// </summary>
internal sealed class RefreshChain(string door, string first, Func<string, Task<Reply>> refresh, Verdict verdict)
{
    /// <summary>The clients of the demo get the same successor for 30 s. Later than this, an answer says nothing.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    private string? previous;
    private long previousSent;
    private long? unanswered;

    public string Door => door;

    /// <summary>The newest token that the client was given.</summary>
    public string Token { get; private set; } = first;

    /// <summary>The token that <see cref="Token"/> was given for, while sending it again is no reuse.</summary>
    public string? Previous => previous is not null && Stopwatch.GetElapsedTime(previousSent) < Grace ? previous : null;

    /// <summary>Whether the client has lost its tokens and must sign in again.</summary>
    public bool Over { get; private set; }

    public int Rotations { get; private set; }

    /// <summary>Sends the newest token, once or twice at once, and goes on with what comes back. An unanswered one is sent again.</summary>
    public async Task StepAsync(bool twice)
    {
        long sent = Stopwatch.GetTimestamp();
        Reply[] replies = twice ? await Task.WhenAll(refresh(Token), refresh(Token)) : [await refresh(Token)];
        string[] successors = [.. replies.Where(static reply => reply.Ending == Ending.Done).Select(static reply => reply["refresh_token"]!).Distinct()];
        long firstSent = unanswered ?? sent;
        if (successors.Length > 1)
            verdict.Broken(Promise.OneSuccessor, $"{door}: two requests at once were given two successors");
        if (replies.FirstOrDefault(static reply => reply.Ending == Ending.Refused) is { } refused)
        {
            Over = true;
            if (Stopwatch.GetElapsedTime(firstSent) < Grace)
                verdict.Broken(Promise.NoRotationLost, $"{door}: the token that was given last is refused: {refused}");
        }
        else if (successors is [var successor, ..])
        {
            (previous, previousSent, Token, unanswered) = (Token, firstSent, successor, null);
            Rotations++;
        }
        else
            unanswered ??= sent;
    }

    /// <summary>After a crash: the newest token works, the one before leads to it still, and both lead to one successor.</summary>
    public async Task AuditAsync()
    {
        if (Over)
            return;
        (string? spent, string given) = (Previous, Token);
        string? again = spent is null ? null : (await refresh(spent))["refresh_token"];
        await StepAsync(twice: false);
        if (Over || Token == given)
            return;
        verdict.Kept(Promise.NoRotationLost);
        if (spent is not null && again != given)
            verdict.Broken(Promise.OneSuccessor, $"{door}: a spent token leads to {(again is null ? "nothing" : "another")} than the successor that was given for it");

        string? repeated = (await refresh(given))["refresh_token"];
        if (repeated == Token)
            verdict.Kept(Promise.OneSuccessor);
        else
            verdict.Broken(Promise.OneSuccessor, $"{door}: the same token was given {(repeated is null ? "nothing" : "another successor")} the second time");
    }
}
