using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using Atrium.Core.Users;

namespace Atrium.Core.Resources;

/// <summary>The codes by which a person signs in when the authenticator app is gone: how many are left.</summary>
public record RecoveryCodesResource
{
    public required string UserId { get; init; }

    [Description("How many were not used yet.")]
    public required int Remaining { get; init; }

    [Description("When they were made; null where there are none. Unix milliseconds.")]
    public required long? CreatedAt { get; init; }

    public static RecoveryCodesResource Of(Id<User> user, int remaining, DateTimeOffset? madeAt) => new()
    {
        UserId = user.ToString(),
        Remaining = remaining,
        CreatedAt = madeAt?.ToUnixTimeMilliseconds(),
    };
}

/// <summary>Recovery codes that were just made, which are shown this once.</summary>
public sealed record NewRecoveryCodesResource : RecoveryCodesResource
{
    public NewRecoveryCodesResource()
    {
    }

    [SetsRequiredMembers]
    private NewRecoveryCodesResource(RecoveryCodesResource shown, IReadOnlyList<string> codes)
        : base(shown) => Codes = codes;

    [Description("Each works once. They can't be shown again.")]
    public required IReadOnlyList<string> Codes { get; init; }

    public static NewRecoveryCodesResource Of(RecoveryCodesResource shown, IReadOnlyList<string> codes) => new(shown, codes);
}
