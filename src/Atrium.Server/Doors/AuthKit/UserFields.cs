using Atrium.Core.Users;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>What a body says about a person. A key that the body does not have changes nothing.</summary>
internal sealed record UserFields
{
    public string? Email { get; private init; }

    private bool? EmailVerified { get; init; }

    private string? FirstName { get; init; }

    private string? LastName { get; init; }

    private string? Name { get; init; }

    private string? Locale { get; init; }

    private bool RemovesLocale { get; init; }

    private string? ExternalId { get; init; }

    private bool RemovesExternalId { get; init; }

    private IReadOnlyDictionary<string, string?>? Metadata { get; init; }

    private bool ClearsMetadata { get; init; }

    /// <summary>Reads the keys; what is wrong with them is noted in <paramref name="fields"/>.</summary>
    public static UserFields Read(Fields fields, bool emailRequired) => new()
    {
        Email = emailRequired ? fields.RequiredText("email") : fields.Text("email"),
        EmailVerified = fields.Flag("email_verified"),
        FirstName = fields.Line("first_name"),
        LastName = fields.Line("last_name"),
        Name = fields.Line("name"),
        Locale = fields.Text("locale"),
        RemovesLocale = fields.IsNull("locale"),
        ExternalId = fields.ExternalId(),
        RemovesExternalId = fields.IsNull("external_id"),
        Metadata = fields.TextMap("metadata"),
        ClearsMetadata = fields.IsNull("metadata"),
    };

    public bool HasInvalidLocale => Locale is { } locale && !LanguageTag.IsValid(locale);

    /// <summary>
    /// The person with these changes; null when their metadata would be too much. A new address is unverified unless the body says otherwise;
    /// another spelling of the old one is the same mailbox.
    /// </summary>
    public User? ApplyTo(User user, DateTimeOffset now)
    {
        if (ResourceFields.MergedMetadata(user.Metadata, Metadata, ClearsMetadata) is not { } metadata)
            return null;
        bool sameMailbox = Email is null || UserRules.IsSameMailbox(Email, user.Email);
        return user with
        {
            Email = Email ?? user.Email,
            EmailVerified = EmailVerified ?? (sameMailbox && user.EmailVerified),
            GivenName = Changed(user.GivenName, FirstName),
            FamilyName = Changed(user.FamilyName, LastName),
            Name = Changed(user.Name, Name),
            Locale = RemovesLocale ? null : Locale ?? user.Locale,
            ExternalId = RemovesExternalId ? null : ExternalId ?? user.ExternalId,
            Metadata = metadata,
            UpdatedAt = now,
        };
    }

    /// <summary>A null in the body is no change, so that an empty text is the way to take a name away.</summary>
    private static string? Changed(string? current, string? sent) => sent switch
    {
        null => current,
        "" => null,
        _ => sent,
    };
}
