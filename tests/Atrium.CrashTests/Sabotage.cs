using System.Data.Common;
using System.Security.Cryptography;
using Dapper;

namespace Atrium.CrashTests;

/// <summary>
/// Breaks each promise on purpose, behind the server's back, and looks whether that is seen: a check that can't fail is worth nothing.
/// </summary>
internal sealed class Sabotage(Stage stage)
{
    /// <summary>The grant that was made last, which is that of the sabotage: nobody else is there any more.</summary>
    private const string Grant = "grant_id = (SELECT id FROM grants ORDER BY created_at DESC, id DESC LIMIT 1)";

    private const string TakeLiveToken = $"DELETE FROM refresh_tokens WHERE {Grant} AND spent_at IS NULL";
    private const string ReviveSpentToken = $"UPDATE refresh_tokens SET spent_at = NULL, sealed_successor = NULL WHERE {Grant} AND spent_at IS NOT NULL";

    private const string AddLiveToken =
        $"""
        INSERT INTO refresh_tokens (realm_id, token_hash, grant_id, created_at, expires_at)
        SELECT realm_id, @hash, grant_id, created_at, expires_at FROM refresh_tokens WHERE {Grant} AND spent_at IS NULL
        """;

    public async Task RunAsync(Tally tally)
    {
        await TryAsync(tally, "a rotation taken back", Promise.NoRotationLost, async verdict =>
        {
            RefreshChain chain = await RotatedAsync(verdict);
            await BreakAsync(TakeLiveToken);
            await BreakAsync(ReviveSpentToken);
            await chain.AuditAsync();
        });
        await TryAsync(tally, "a second successor, given out", Promise.OneSuccessor, async verdict =>
        {
            RefreshChain chain = await RotatedAsync(verdict);
            await BreakAsync(ReviveSpentToken);
            await chain.AuditAsync();
        });
        await TryAsync(tally, "a second successor, in the database alone", Promise.OneSuccessor, async verdict =>
        {
            await RotatedAsync(verdict);
            await BreakAsync(AddLiveToken);
            await stage.Database.AuditAsync(verdict);
        });
        await TryAsync(tally, "a spent code made good again", Promise.UsedOnce, async verdict =>
        {
            OneTimeThing code = await CodeAsync(verdict);
            await code.UseAsync(twice: false);
            await BreakAsync($"UPDATE authorization_codes SET spent_at = NULL WHERE {Grant}");
            await code.AuditAsync();
        });
        await TryAsync(tally, "a code that was never used, taken away", Promise.NothingAcknowledgedLost, async verdict =>
        {
            OneTimeThing code = await CodeAsync(verdict);
            await BreakAsync($"DELETE FROM authorization_codes WHERE {Grant}");
            await code.AuditAsync();
        });
        await TryAsync(tally, "a code redeemed by half", Promise.DatabaseWhole, async verdict =>
        {
            await CodeAsync(verdict);
            await BreakAsync($"UPDATE authorization_codes SET spent_at = created_at WHERE {Grant}");
            await stage.Database.AuditAsync(verdict);
        });
        await TryAsync(tally, "a table taken away, and so an answer nobody was promised", Promise.Answers, async verdict =>
        {
            RefreshChain chain = await RotatedAsync(verdict);
            await ExecuteAsync("ALTER TABLE refresh_tokens RENAME TO hidden");
            using Wire wire = new(stage.Wire.Url, verdict);
            await new OAuthDoor(wire).RefreshAsync(chain.Token);
        });
    }

    private static async Task TryAsync(Tally tally, string what, Promise promise, Func<Verdict, Task> sabotage)
    {
        Verdict verdict = new();
        await sabotage(verdict);
        tally.Add(verdict.IsBroken(promise), $"it is seen: {what}");
    }

    /// <summary>A grant of its own whose refresh token was rotated once.</summary>
    private async Task<RefreshChain> RotatedAsync(Verdict verdict)
    {
        string code = await stage.OAuth.CodeAsync([], "mia@example.test") ?? throw NoSignIn();
        RefreshChain chain = new("sabotaged", (await stage.OAuth.RedeemAsync(code))["refresh_token"] ?? throw NoSignIn(), stage.OAuth.RefreshAsync, verdict);
        await chain.StepAsync(twice: false);
        return chain.Rotations == 1 ? chain : throw NoSignIn();
    }

    private async Task<OneTimeThing> CodeAsync(Verdict verdict)
    {
        string code = await stage.OAuth.CodeAsync([], "mia@example.test") ?? throw NoSignIn();
        return new OneTimeThing("an OAuth code", async () => (await stage.OAuth.RedeemAsync(code)).Ending, verdict);
    }

    private async Task BreakAsync(string change)
    {
        if (await ExecuteAsync(change) == 0)
            throw new InvalidOperationException($"There was nothing to break with: {change}");
    }

    private async Task<int> ExecuteAsync(string sql)
    {
        await using DbConnection connection = await stage.Database.OpenAsync();
        return await connection.ExecuteAsync(sql, new { hash = RandomNumberGenerator.GetBytes(32) });
    }

    private static InvalidOperationException NoSignIn() => new("Nobody can sign in any more.");
}
