using System.Collections.Concurrent;

namespace Atrium.CrashTests;

/// <summary>What the server has acknowledged, as those remember it whom it answered.</summary>
internal sealed class Ledger(OAuthDoor oauth, AuthKitDoor authKit, Verdict verdict)
{
    private readonly ConcurrentQueue<OneTimeThing> things = [];
    private readonly ConcurrentQueue<Dictionary<string, string>> sessions = [];
    private readonly ConcurrentQueue<(string Id, string Email)> people = [];

    public List<RefreshChain> Chains { get; } = [];

    public int Rotations => Chains.Sum(static chain => chain.Rotations);

    /// <summary>How many other things there are to look at in the next audit.</summary>
    public int Others => things.Count + sessions.Count + people.Count;

    public OneTimeThing Add(OneTimeThing thing)
    {
        things.Enqueue(thing);
        return thing;
    }

    /// <param name="cookies">Those of a browser that has signed in.</param>
    public void AddSession(Dictionary<string, string> cookies) => sessions.Enqueue(new(cookies));

    public void AddPerson(string id, string email) => people.Enqueue((id, email));

    /// <summary>Looks whether all of it is still true. The chains go on; the rest has then been looked at.</summary>
    public async Task AuditAsync()
    {
        await Task.WhenAll(Chains.Select(static chain => chain.AuditAsync()));
        // A few at a time: what hashes a password takes its time, and what comes late says nothing.
        await Parallel.ForEachAsync(Take(things), Few, static async (thing, _) => await thing.AuditAsync());
        await Parallel.ForEachAsync(Take(sessions), Few, async (session, _) => Judge("session", await oauth.CodeSilentlyAsync(session) is not null));
        await Parallel.ForEachAsync(Take(people), Few, async (person, _) => Judge("person", (await authKit.FindUserAsync(person.Id))["email"] == person.Email));
    }

    private static ParallelOptions Few => new() { MaxDegreeOfParallelism = 8 };

    private static T[] Take<T>(ConcurrentQueue<T> queue)
    {
        T[] taken = [.. queue];
        queue.Clear();
        return taken;
    }

    private void Judge(string kind, bool isThere)
    {
        if (isThere)
            verdict.Kept(Promise.NothingAcknowledgedLost);
        else
            verdict.Broken(Promise.NothingAcknowledgedLost, $"a {kind} was acknowledged and is not there");
    }
}
