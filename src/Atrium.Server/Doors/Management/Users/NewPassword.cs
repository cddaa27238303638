using Atrium.Core.Users;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Http;
using Atrium.Server.Passwords;

namespace Atrium.Server.Doors.Management.Users;

/// <summary>A password as a body brings it: in the clear, or as the hash that another product made.</summary>
internal static class NewPassword
{
    private static readonly Field<string> Clear = Field.Text("password", PasswordPolicy.MaximumUnits)
        .Check(static text => PasswordPolicy.Check(text)?.Message)
        .Describe("In the clear; at least 8 characters, and none of the commonest.");

    private static readonly Field<string> Hash = Field.Text("password_hash", PasswordHash.MaximumText)
        .Describe("The hash that another product made: Argon2id, bcrypt, scrypt or PBKDF2, as PHC string or in their own forms. Replaced at the next sign-in.");

    public static IReadOnlyList<Field> Fields { get; } = [Clear, Hash];

    /// <summary>What is to be stored for it; nothing where the body has none. A refusal where it can't be.</summary>
    public static async Task<(string? Stored, ManagementError? Error)> ToStoredAsync(Body body, PasswordHasher hasher, CancellationToken cancellationToken)
    {
        string? clear = body.Of(Clear), hash = body.Of(Hash);
        if (hash is null)
        {
            return clear is null ? (null, null)
                : await hasher.HashAsync(clear, cancellationToken) is { } made ? (made, null)
                : (null, ManagementError.Unavailable(Unavailable.Hashing));
        }

        if (clear is not null)
            return (null, ManagementError.Unprocessable("/password_hash", "Send password or password_hash, not both."));
        return hasher.ProblemWith(hash) is { } problem
            ? (null, ManagementError.Unprocessable("/password_hash", $"/password_hash {problem}."))
            : (hash, null);
    }

    /// <summary>That a body whose only matter it is has none.</summary>
    public static ManagementError Missing { get; } = ManagementError.Unprocessable("/password", "Send password or password_hash.");
}
