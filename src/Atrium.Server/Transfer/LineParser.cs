using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Imports;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Passwords;

namespace Atrium.Server.Transfer;

/// <summary>Reads a line of an import as what it says; what is wrong with it is noted, all of it.</summary>
internal sealed class LineParser(Id<Realm> realm, PasswordHasher hasher, TimeProvider clock)
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private static readonly Dictionary<string, AuthenticationMethod> Methods =
        SignInPolicy.Named.ToDictionary(static method => JsonNamingPolicy.SnakeCaseLower.ConvertName(method.ToString()), StringComparer.Ordinal);

    private readonly DateTimeOffset now = clock.GetUtcNow();

    /// <summary>The entry; of no use where problems were added.</summary>
    public ImportEntry? Parse(Line line, List<ImportProblem> problems)
    {
        if (line.Bytes is null)
        {
            problems.Add(new ImportProblem(line.Number, "", $"is longer than {LineReader.MaxLength} bytes"));
            return null;
        }

        try
        {
            using JsonDocument json = Document(line.Bytes);
            if (json.RootElement.ValueKind == JsonValueKind.Object)
                return Read(line.Number, new LineFields(json.RootElement, line.Number, "", problems));
            problems.Add(new ImportProblem(line.Number, "", "is not a JSON object"));
        }
        catch (JsonException e)
        {
            // Only what is there twice has no place.
            problems.Add(new ImportProblem(line.Number, "", e.BytePositionInLine is { } before
                ? $"is not JSON, from byte {before + 1} on; each line is one object"
                : "has the same field twice"));
        }

        return null;
    }

    /// <exception cref="JsonException">It is none.</exception>
    private static JsonDocument Document(byte[] bytes)
    {
        try
        {
            return JsonDocument.Parse(bytes, Strict);
        }
        catch (InvalidOperationException e)
        {
            // Half a surrogate pair in a name: names are compared with each other, so they are read here.
            throw new JsonException(message: null, path: null, lineNumber: 0, bytePositionInLine: 0, e);
        }
    }

    private ImportEntry? Read(long line, LineFields fields)
    {
        ImportEntry? entry = fields.Text("type", static type => type is "role" or "organization" or "user" or "membership", "role, organization, user or membership") switch
        {
            "role" => Role(line, fields),
            "organization" => Organization(line, fields),
            "user" => User(line, fields),
            "membership" => Membership(line, fields),
            _ => null,
        };
        if (entry is not null)
            fields.RefuseOthers();
        else if (!fields.Has("type"))
            fields.Refuse("type", "is missing");
        return entry;
    }

    private ImportedRole Role(long line, LineFields fields)
    {
        string slug = fields.RequiredText("slug", ScopeRules.IsScope, $"1 to {ScopeRules.MaxLength} characters");
        DateTimeOffset createdAt = fields.Time("created_at") ?? now;
        Role role = new()
        {
            RealmId = realm,
            Slug = slug,
            Name = fields.Name("name") ?? slug,
            Permissions = fields.Texts("permissions", ScopeRules.MaxPermissions, ScopeRules.IsScope, $"1 to {ScopeRules.MaxLength} characters") ?? [],
            CreatedAt = createdAt,
            UpdatedAt = fields.Time("updated_at") ?? createdAt,
        };
        return new ImportedRole(line, role, AtMostOne(fields, OrganizationNamed(fields, "organization"), "organization_id, organization_external_id and organization_handle"));
    }

    private ImportedOrganization Organization(long line, LineFields fields)
    {
        Id<Organization>? id = fields.Id<Organization>("id");
        DateTimeOffset createdAt = fields.Time("created_at") ?? now;
        DateTimeOffset updatedAt = fields.Time("updated_at") ?? createdAt;
        LineFields? settings = fields.Object("settings");
        Organization organization = new()
        {
            RealmId = realm,
            Id = id ?? Id<Organization>.New(clock),
            Handle = fields.RequiredText("handle", Handles.IsValid, $"1 to {Handles.MaxLength} lower-case letters, digits and hyphens"),
            Name = fields.Name("name") ?? "",
            Status = fields.Word("status", OrganizationStatus.Active, OrganizationStatus.Active, OrganizationStatus.Suspended),
            StatusReason = fields.Text("status_reason", static text => text.Length is > 0 and <= OrganizationRules.MaxStatusReasonLength, $"1 to {OrganizationRules.MaxStatusReasonLength} characters"),
            ExternalId = ExternalId(fields),
            Metadata = fields.Metadata("metadata"),
            Settings = settings is null ? new OrganizationSettings() : Settings(settings),
            CreatedAt = createdAt,
            UpdatedAt = updatedAt,
        };
        if (organization.Name.Length == 0)
            fields.Refuse("name", "is missing");
        settings?.RefuseOthers();
        OrganizationDomain[] domains = [.. fields.Objects("domains", OrganizationRules.MaxDomains).Select(domain => Domain(organization, domain))];
        foreach ((int i, OrganizationDomain domain) in domains.Index().Where(entry => domains.Take(entry.Index).Any(above => above.Domain == entry.Item.Domain)))
            fields.Refuse($"domains/{i}/domain", "is on this line already");
        return new ImportedOrganization(
            line,
            organization,
            domains,
            id is not null,
            AtMostOne(fields, OrganizationNamed(fields, "parent"), "parent_id, parent_external_id and parent_handle"));
    }

    private static OrganizationSettings Settings(LineFields fields)
    {
        OrganizationSettings settings = new()
        {
            DefaultMemberScopes = Scopes(fields, "default_member_scopes") ?? [],
            MfaRequired = fields.Flag("mfa_required") ?? false,
            AllowedMethods = fields.Texts("allowed_methods", Methods.Count, Methods.ContainsKey, string.Join(" or ", Methods.Keys))?.Select(static word => Methods[word]).ToArray(),
            SsoOnly = fields.Flag("sso_only") ?? false,
            MaxMembers = fields.Whole("max_members", 1, OrganizationRules.HighestMaxMembers),
            SessionMaxAge = fields.Whole("session_max_age", OrganizationRules.ShortestSessionMaxAge, OrganizationRules.LongestSessionMaxAge),
            AllowProfilesOutside = fields.Flag("allow_profiles_outside") ?? true,
        };
        foreach ((string setting, string message) in OrganizationRules.ProblemsWith(settings))
            fields.Refuse(setting, message);
        return settings;
    }

    /// <summary>The ways in which a line names an organization.</summary>
    private static Claim?[] OrganizationNamed(LineFields fields, string prefix) =>
    [
        fields.Id<Organization>($"{prefix}_id") is { } id ? Claim.Of(ClaimKind.OrganizationId, id, $"/{prefix}_id") : null,
        fields.Text($"{prefix}_external_id", TextRules.IsExternalId, "an external id") is { } own ? new(ClaimKind.OrganizationExternalId, own, $"/{prefix}_external_id") : null,
        fields.Text($"{prefix}_handle", Handles.IsValid, "a handle") is { } handle ? new(ClaimKind.OrganizationHandle, handle, $"/{prefix}_handle") : null,
    ];

    private OrganizationDomain Domain(Organization organization, LineFields fields)
    {
        OrganizationDomain domain = new()
        {
            RealmId = realm,
            Id = fields.Id<OrganizationDomain>("id") ?? Id<OrganizationDomain>.New(clock),
            OrganizationId = organization.Id,
            Domain = DomainName.Normalize(fields.RequiredText("domain", static text => DomainName.Normalize(text) is not null, "a domain such as example.com")) ?? "",
            State = fields.Flag("verified") == true ? DomainState.Verified : DomainState.Pending,
            CreatedAt = fields.Time("created_at") ?? organization.CreatedAt,
            UpdatedAt = fields.Time("updated_at") ?? organization.UpdatedAt,
        };
        fields.RefuseOthers();
        return domain;
    }

    private ImportedUser User(long line, LineFields fields)
    {
        Id<User>? id = fields.Id<User>("id");
        DateTimeOffset createdAt = fields.Time("created_at") ?? now;
        DateTimeOffset updatedAt = fields.Time("updated_at") ?? createdAt;
        LineFields? profile = fields.Object("profile");
        LineFields? address = fields.Object("address");
        User user = new()
        {
            RealmId = realm,
            Id = id ?? Id<User>.New(clock),
            Email = fields.RequiredText("email", EmailAddress.IsValid, "an e-mail address"),
            EmailVerified = fields.Flag("email_verified") ?? false,
            Username = fields.Text("username", UserRules.IsUsername, $"1 to {UserRules.MaxUsernameLength} characters without spaces"),
            GivenName = profile?.Name("given_name"),
            FamilyName = profile?.Name("family_name"),
            Name = profile?.Name("name"),
            Picture = profile?.Text("picture", UserRules.IsPicture, $"an address of at most {UserRules.MaxPictureLength} characters"),
            Locale = profile?.Text("locale", LanguageTag.IsValid, "a BCP 47 tag such as en-GB"),
            PhoneNumber = fields.Text("phone_number", UserRules.IsPhoneNumber, $"a telephone number of at most {UserRules.MaxPhoneNumberLength} characters"),
            PhoneNumberVerified = fields.Flag("phone_number_verified") ?? false,
            Address = address is null ? null : Address(address),
            ExternalId = ExternalId(fields),
            Metadata = fields.Metadata("metadata"),
            Status = fields.Word("status", UserStatus.Active, UserStatus.Active, UserStatus.Disabled),
            LastSignInAt = fields.Time("last_sign_in_at"),
            CreatedAt = createdAt,
            UpdatedAt = updatedAt,
        };
        profile?.RefuseOthers();
        address?.RefuseOthers();
        string? hash = fields.Text("password_hash", static _ => true, "a text");
        if (hash is not null && hasher.ProblemWith(hash) is { } problem)
            fields.Refuse("password_hash", problem);
        return new ImportedUser(line, user, hash, id is not null);
    }

    private static PostalAddress? Address(LineFields fields)
    {
        string lines = $"text of at most {PostalAddress.MaxLinesLength} characters";
        return new PostalAddress
        {
            Formatted = fields.Text("formatted", PostalAddress.IsLines, lines),
            StreetAddress = fields.Text("street_address", PostalAddress.IsLines, lines),
            Locality = fields.Name("locality"),
            Region = fields.Name("region"),
            PostalCode = fields.Name("postal_code"),
            Country = fields.Name("country"),
        }.OrNothing();
    }

    private ImportedMembership Membership(long line, LineFields fields)
    {
        Id<Membership>? id = fields.Id<Membership>("id");
        DateTimeOffset createdAt = fields.Time("created_at") ?? now;
        Claim?[] users =
        [
            fields.Id<User>("user_id") is { } userId ? Claim.Of(ClaimKind.UserId, userId, "/user_id") : null,
            fields.Text("user_external_id", TextRules.IsExternalId, "an external id") is { } external ? new(ClaimKind.UserExternalId, external, "/user_external_id") : null,
            fields.Text("user_email", EmailAddress.IsValid, "an e-mail address") is { } email ? new(ClaimKind.UserEmail, EmailAddress.Normalize(email), "/user_email") : null,
        ];
        Membership membership = new()
        {
            RealmId = realm,
            Id = id ?? Id<Membership>.New(clock),
            UserId = default,
            OrganizationId = default,
            Scopes = Scopes(fields, "scopes") ?? [],
            Title = fields.Name("title"),
            Status = fields.Word("status", MembershipStatus.Active, MembershipStatus.Pending, MembershipStatus.Active, MembershipStatus.Suspended),
            JoinedAt = fields.Time("joined_at") ?? createdAt,
            Metadata = fields.Metadata("metadata"),
            CreatedAt = createdAt,
            UpdatedAt = fields.Time("updated_at") ?? createdAt,
        };
        return new ImportedMembership(
            line,
            membership,
            OnlyOne(fields, users, "user_id, user_external_id and user_email"),
            OnlyOne(fields, OrganizationNamed(fields, "organization"), "organization_id, organization_external_id and organization_handle"),
            id is not null);
    }

    private static Claim OnlyOne(LineFields fields, Claim?[] ways, string names)
    {
        Claim[] named = [.. ways.OfType<Claim>()];
        if (named.Length == 1)
            return named[0];
        if (named.Length > 1 || names.Split([", ", " and "], StringSplitOptions.None).All(name => !fields.Has(name)))
            fields.Refuse("", $"should name exactly one of {names}");

        // The problem keeps the entry from being used.
        return new Claim(ClaimKind.UserId, "", "");
    }

    private static Claim? AtMostOne(LineFields fields, Claim?[] ways, string names)
    {
        Claim[] named = [.. ways.OfType<Claim>()];
        if (named.Length > 1)
            fields.Refuse("", $"should name at most one of {names}");
        return named.FirstOrDefault();
    }

    private static string? ExternalId(LineFields fields) =>
        fields.Text("external_id", TextRules.IsExternalId, $"1 to {TextRules.MaxExternalIdLength} ASCII characters");

    private static IReadOnlyList<string>? Scopes(LineFields fields, string name) =>
        fields.Texts(name, ScopeRules.MaxScopes, ScopeRules.IsScope, $"1 to {ScopeRules.MaxLength} characters");
}
