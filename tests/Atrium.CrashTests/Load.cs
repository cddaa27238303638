namespace Atrium.CrashTests;

/// <summary>Clients that refresh, people who sign in and a back end that makes people, all at once, through every door.</summary>
internal sealed class Load(Ledger ledger, OAuthDoor oauth, AuthKitDoor authKit, AppNativeDoor native, Verdict verdict, int seed)
{
    private const string Mia = "mia@example.test";
    private const int ChainsOfEachDoor = 4;

    /// <summary>How long somebody waits who was not answered.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Cast cast = new(authKit);
    private int runs;
    private volatile bool stopped;

    /// <summary>Sees to it that there are people to sign in, and chains of every door: Mia signs in for those that there are not yet, or not any more.</summary>
    public async Task PrepareAsync()
    {
        await cast.RenewAsync();
        ledger.Chains.RemoveAll(static chain => chain.Over);
        await PrepareAsync("OAuth", oauth.RefreshAsync, async () => await oauth.CodeAsync([], Mia) is { } code ? await oauth.RedeemAsync(code) : null);
        await PrepareAsync("AuthKit", authKit.RefreshAsync, async () =>
            await authKit.PasswordAsync(Mia) is var (pending, organization) ? await authKit.ChooseAsync(pending, organization) : null);
        await PrepareAsync("app-native", native.RefreshAsync, async () =>
            await native.FlowAsync() is { } flow && (await native.PasswordAsync(flow, Mia)).Code is { } code ? await native.RedeemAsync(code) : null);
    }

    /// <summary>Keeps everybody busy until <paramref name="meanwhile"/> is over; requests under way are waited for.</summary>
    public async Task RunAsync(Func<Task> meanwhile)
    {
        stopped = false;
        Func<Random, Task>[] work =
        [
            .. ledger.Chains.Where(static chain => !chain.Over).Select(RefreshAsync),
            BrowseAsync, BrowseAsync, ChooseAsync, FlowAsync, MakePersonAsync,
        ];
        Task[] workers = [.. work.Select((step, i) => Task.Run(() => RepeatAsync(step, new Random(HashCode.Combine(seed, runs, i)))))];
        runs++;
        await meanwhile();
        stopped = true;
        await Task.WhenAll(workers);
    }

    private async Task RepeatAsync(Func<Random, Task> step, Random random)
    {
        while (!stopped)
            await step(random);
    }

    private async Task PrepareAsync(string door, Func<string, Task<Reply>> refresh, Func<Task<Reply?>> signIn)
    {
        for (int there = ledger.Chains.Count(chain => chain.Door == door); there < ChainsOfEachDoor; there++)
        {
            string token = (await signIn())?["refresh_token"] ?? throw new InvalidOperationException($"Nobody can sign in at the {door} door.");
            ledger.Chains.Add(new RefreshChain(door, token, refresh, verdict));
        }
    }

    private Func<Random, Task> RefreshAsync(RefreshChain chain) => async random =>
    {
        int before = chain.Rotations;
        await chain.StepAsync(twice: random.Next(4) == 0);
        if (chain.Rotations == before)
            await Task.Delay(Pause);
    };

    /// <summary>A browser signs in with a password, then once more without one, and the application redeems the codes.</summary>
    private async Task BrowseAsync(Random random)
    {
        Dictionary<string, string> cookies = [];
        string email = cast.Next();
        for (int i = 0; i < 2 && !stopped; i++)
        {
            if (await oauth.CodeAsync(cookies, email) is not { } code)
            {
                await Task.Delay(Pause);
                return;
            }

            if (i == 0)
                ledger.AddSession(cookies);
            await PerhapsUseAsync(new("an OAuth code", async () => (await oauth.RedeemAsync(code)).Ending, verdict), random);
        }
    }

    private async Task ChooseAsync(Random random)
    {
        if (await authKit.PasswordAsync(cast.Next()) is var (pending, organization))
            await PerhapsUseAsync(new("a pending sign-in", async () => (await authKit.ChooseAsync(pending, organization)).Ending, verdict), random);
        else
            await Task.Delay(Pause);
    }

    private async Task FlowAsync(Random random)
    {
        if (await native.FlowAsync() is not { } flow)
        {
            await Task.Delay(Pause);
            return;
        }

        string email = cast.Next();
        string? code = null;
        await PerhapsUseAsync(
            new(
                "a flow",
                async () =>
                {
                    (Ending ending, string? given) = await native.PasswordAsync(flow, email);
                    code ??= given;
                    return ending;
                },
                verdict),
            random);
        if (code is not null)
            await PerhapsUseAsync(new("an app-native code", async () => (await native.RedeemAsync(code)).Ending, verdict), random);
    }

    private async Task MakePersonAsync(Random random)
    {
        string email = $"{Guid.NewGuid():n}@example.test";
        if ((await authKit.CreateUserAsync(email))["id"] is { } id)
            ledger.AddPerson(id, email);
        await Task.Delay(random.Next(20));
    }

    /// <summary>One in four is left for after the crash, and one in four is used twice at once.</summary>
    private Task PerhapsUseAsync(OneTimeThing thing, Random random)
    {
        ledger.Add(thing);
        return random.Next(4) switch
        {
            0 => Task.CompletedTask,
            1 => thing.UseAsync(twice: true),
            _ => thing.UseAsync(twice: false),
        };
    }
}
