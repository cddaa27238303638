using Atrium.Server.Demo;

namespace Atrium.CrashTests;

/// <summary>
/// Who signs in under load: people of two organizations, as Mia is one, new ones for every round. A person keeps fifty sessions and loses the oldest to
/// the next, so that with Mia alone a fast machine would end what was promised to last.
/// </summary>
internal sealed class Cast(AuthKitDoor authKit)
{
    private const int Size = 6;

    private string[] people = [];
    private int turns;

    public async Task RenewAsync()
    {
        string[] organizations = await authKit.OrganizationsAsync();
        people = await Task.WhenAll(Enumerable.Range(0, Size).Select(_ => JoinAsync(organizations)));
    }

    /// <summary>Whose turn it is to sign in.</summary>
    public string Next() => people[(uint)Interlocked.Increment(ref turns) % Size];

    private async Task<string> JoinAsync(string[] organizations)
    {
        string email = $"{Guid.NewGuid():n}@example.test";
        string id = (await authKit.CreateUserAsync(email, DemoRealm.Password))["id"] ?? throw new InvalidOperationException("Nobody can be made.");
        foreach (string organization in organizations)
            _ = (await authKit.AddMemberAsync(id, organization))["id"] ?? throw new InvalidOperationException("Nobody can join.");
        return email;
    }
}
