using Atrium.Core.Users;
using Atrium.Server.Http;
using Atrium.Server.Passwords;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>A password as a body brings it: in the clear, or as the hash that another product made.</summary>
internal sealed record PasswordFields
{
    /// <summary>Every kind that the contract names; not all of these can be taken over.</summary>
    private static readonly string[] HashTypes = ["bcrypt", "firebase-scrypt", "ssha", "ssha256", "scrypt", "pbkdf2", "argon2"];

    private string? Password { get; init; }

    private string? Hash { get; init; }

    /// <summary>Reads what is there; values of the wrong type are noted in the fields, other failures are the error.</summary>
    public static (PasswordFields Value, AuthKitError? Error) Read(Fields fields, PasswordHasher hasher)
    {
        PasswordFields read = new() { Password = fields.Text("password"), Hash = fields.Text("password_hash") };
        string? type = fields.Text("password_hash_type");
        string? saltPosition = fields.Text("password_salt_position");
        if (read.Password is not null && read.Hash is not null)
            return (read, Refusal("password_and_password_hash_provided", "Send password or password_hash, not both."));
        if (read.Password is not null && type is not null)
            return (read, Refusal("password_and_password_hash_type_provided", "password_hash_type belongs to password_hash, not to password."));
        if (read.Hash is null && saltPosition is not null)
            return (read, Refusal("password_salt_position_requires_password_hash", "password_salt_position belongs to password_hash, which is missing."));
        if (read.Hash is null && type is not null)
            fields.Refuse("password_hash", "password_hash_string_required", "password_hash should be there with password_hash_type.");
        if (read.Hash is not null && (type is null || !HashTypes.Contains(type)))
            fields.Refuse("password_hash_type", "password_hash_type_invalid", $"password_hash_type should be one of: {string.Join(", ", HashTypes)}.");
        if (fields.Error is not null)
            return (read, null);

        if (read.Hash is not null)
            return (read, CheckHash(read.Hash, type, saltPosition, hasher));
        return (read, read.Password is { } password && PasswordPolicy.Check(password) is { } problem ? TooWeak(problem) : null);
    }

    /// <summary>The text to store; null where no password was sent, an error where too many hashes wait to be made.</summary>
    public async Task<(string? Stored, AuthKitError? Error)> ToStoredAsync(PasswordHasher hasher, CancellationToken cancellationToken)
    {
        if (Password is null)
            return (Hash, null);
        return await hasher.HashAsync(Password, cancellationToken) is { } made ? (made, null) : (null, AuthKitError.Unavailable(Unavailable.Hashing));
    }

    private static AuthKitError? CheckHash(string hash, string? type, string? saltPosition, PasswordHasher hasher)
    {
        if (type is "firebase-scrypt" or "ssha" or "ssha256")
            return Refusal("invalid_password_hash", $"Hashes of the type {type} can't be taken over by this server; bcrypt, scrypt, pbkdf2 and argon2 can.");
        if (saltPosition is not null)
            return Refusal("invalid_password_hash", $"password_salt_position has no meaning for {type}: the hash itself says where its salt is.");
        if (hasher.ProblemWith(hash) is { } problem)
            return Refusal("invalid_password_hash", $"password_hash {problem}. {Example(type)}");
        return TypeOf(PasswordHash.Parse(hash)!.Algorithm) == type
            ? null
            : Refusal("invalid_password_hash", $"password_hash is not of the type {type}. {Example(type)}");
    }

    private static string? TypeOf(PasswordAlgorithm algorithm) => algorithm switch
    {
        PasswordAlgorithm.Argon2id => "argon2",
        PasswordAlgorithm.Pbkdf2 => "pbkdf2",
        PasswordAlgorithm.Scrypt or PasswordAlgorithm.Crypt { Method: PasswordAlgorithm.CryptMethod.Scrypt } => "scrypt",
        PasswordAlgorithm.Crypt { Method: PasswordAlgorithm.CryptMethod.Bcrypt } => "bcrypt",
        _ => null,
    };

    private static string Example(string? type) => type switch
    {
        "bcrypt" => "It should look like $2b$12$ and 53 digits.",
        "scrypt" => "It should be a PHC string such as $scrypt$ln=16,r=8,p=1$salt$hash.",
        "pbkdf2" => "It should be a PHC string such as $pbkdf2-sha256$i=600000$salt$hash.",
        _ => "It should be a PHC string such as $argon2id$v=19$m=19456,t=2,p=1$salt$hash.",
    };

    private static AuthKitError TooWeak(PasswordProblem problem) => AuthKitError.Invalid(
        [new FieldError(problem.Code, problem.Message, "password")],
        "password_strength_error",
        "Password does not meet strength requirements.",
        StatusCodes.Status400BadRequest);

    private static AuthKitError Refusal(string code, string message) => AuthKitError.Plain(code, message);
}
