"""Sound and films as phones, browsers and programs write them."""

from corpus import run, temporary

SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:duration=0.4:sample_rate=22050"]
FILM = ["-f", "lavfi", "-i", "testsrc=s=64x48:d=0.4:r=10"]


def made(name: str, *options) -> bytes:
    out = temporary(name)
    out.unlink(missing_ok=True)
    run("ffmpeg", "-v", "error", "-y", *options, out)
    return out.read_bytes()


def sounds(group):
    def put(path, how, *options):
        group.put(path, made(path.rsplit("/", 1)[1], *SOUND, *options), "debian:ffmpeg", how)

    put("mp3/ffmpeg-cbr.mp3", "libmp3lame, constant rate", "-b:a", "32k")
    put("mp3/ffmpeg-vbr.mp3", "variable rate with a Xing header", "-q:a", "9")
    put("mp3/ffmpeg-id3v2.3.mp3", "ID3v2.3 with title and comment", "-id3v2_version", "3", "-metadata", "title=Lake", "-metadata", "comment=<b>May</b>")
    put("mp3/ffmpeg-id3v1.mp3", "ID3v1 at the end", "-write_id3v1", "1", "-metadata", "title=Lake")
    put("mp3/ffmpeg-no-tags.mp3", "no tags, no Xing header", "-map_metadata", "-1", "-id3v2_version", "0", "-write_xing", "0")
    put("mp3/ffmpeg-8000.mp3", "MPEG 2.5, 8 kHz, mono", "-ar", "8000")
    wav = temporary("tone.wav", made("tone.wav", *SOUND))
    png = temporary("cover.png")
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=teal:s=16x16", "-frames:v", "1", png)
    group.put("mp3/ffmpeg-cover.mp3", made("cover.mp3", *SOUND, "-i", png, "-map", "0", "-map", "1", "-id3v2_version", "3", "-metadata:s:v", "comment=Cover (front)"), "debian:ffmpeg", "with a cover picture")
    run("lame", "--quiet", "--preset", "voice", "--tt", "Lake", "--ta", "Ada", "--add-id3v2", wav, temporary("l.mp3"))
    group.put("mp3/lame.mp3", temporary("l.mp3"), "debian:lame", "lame --preset voice, both tags")
    run("lame", "--quiet", "--free", "-b", "40", wav, temporary("l.mp3"), allowed=(0, 1))
    group.put("wav/ffmpeg.wav", wav, "debian:ffmpeg", "pcm_s16le")
    put("wav/ffmpeg-float.wav", "pcm_f32le", "-c:a", "pcm_f32le", "-ar", "8000")
    put("wav/ffmpeg-alaw.wav", "A-law, as telephones record", "-c:a", "pcm_alaw", "-ar", "8000")
    put("wav/ffmpeg-adpcm.wav", "IMA ADPCM", "-c:a", "adpcm_ima_wav")
    put("wav/ffmpeg-tags.wave", "a LIST chunk with tags, the extension .wave", "-metadata", "title=Lake", "-ar", "8000", "-f", "wav")
    run("sox", "-n", "-r", "8000", "-b", "24", temporary("s.wav"), "synth", "0.2", "sine", "300")
    group.put("wav/sox-24-bit.wav", temporary("s.wav"), "debian:sox", "24 bits, WAVE_FORMAT_EXTENSIBLE")
    run("sox", "-n", "-r", "8000", "-b", "8", "-c", "1", temporary("s.wav"), "synth", "0.1", "sine", "300")
    group.put("wav/sox-8-bit.wav", temporary("s.wav"), "debian:sox", "8 bits, an odd number of bytes")
    run("flac", "-s", "-f", "-o", temporary("f.flac"), wav)
    group.put("flac/flac.flac", temporary("f.flac"), "debian:flac", "flac")
    run("flac", "-s", "-f", "-8", "-T", "TITLE=Lake", f"--picture={png}", "-o", temporary("f.flac"), wav)
    group.put("flac/flac-picture.flac", temporary("f.flac"), "debian:flac", "flac -8 with a picture and tags")
    put("flac/ffmpeg.flac", "ffmpeg", "-metadata", "title=Lake")
    run("oggenc", "-Q", "-q", "0", "-t", "Lake", "-o", temporary("o.ogg"), wav)
    group.put("ogg/oggenc.ogg", temporary("o.ogg"), "debian:vorbis-tools", "oggenc")
    run("opusenc", "--quiet", "--bitrate", "16", wav, temporary("o.opus"))
    group.put("ogg/opusenc.opus", temporary("o.opus"), "debian:opus-tools", "opusenc")
    put("ogg/ffmpeg-vorbis.ogg", "libvorbis", "-c:a", "libvorbis")
    put("ogg/ffmpeg-opus.opus", "libopus", "-c:a", "libopus", "-b:a", "16k")
    put("ogg/ffmpeg-flac.oga", "FLAC in Ogg", "-c:a", "flac", "-f", "ogg")
    put("m4a/ffmpeg-aac.m4a", "AAC", "-c:a", "aac", "-b:a", "32k")
    put("m4a/ffmpeg-faststart.m4a", "AAC, the index first, tags", "-c:a", "aac", "-movflags", "+faststart", "-metadata", "title=Lake")
    put("m4a/ffmpeg-alac.m4a", "Apple Lossless", "-c:a", "alac")
    put("m4a/ffmpeg-book.m4b", "an audio book", "-c:a", "aac", "-f", "ipod")


def films(group):
    def put(path, how, *options):
        group.put(path, made(path.rsplit("/", 1)[1], *FILM, *options), "debian:ffmpeg", how)

    h264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "veryfast"]
    put("mp4/ffmpeg-h264.mp4", "H.264, the index last", *h264)
    put("mp4/ffmpeg-faststart.mp4", "the index first", *h264, "-movflags", "+faststart")
    put("mp4/ffmpeg-fragmented.mp4", "fragmented, as browsers record", *h264, "-movflags", "frag_keyframe+empty_moov+default_base_moof")
    put("mp4/ffmpeg-dash.mp4", "with sidx, as for DASH", *h264, "-movflags", "dash+global_sidx+frag_keyframe")
    put("mp4/ffmpeg-hevc.mp4", "H.265, hvc1", "-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1", "-pix_fmt", "yuv420p")
    put("mp4/ffmpeg-mpeg4.m4v", "MPEG-4 part 2, the extension .m4v", "-c:v", "mpeg4", "-f", "mp4")
    put("mp4/ffmpeg-av1.mp4", "AV1", "-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "50")
    put("mp4/ffmpeg-rotated.mp4", "a matrix of rotation and a place, as phones write", *h264, "-metadata:s:v", "rotate=90", "-metadata", "location=+47.3+008.5/", "-movflags", "use_metadata_tags")
    group.put("mp4/ffmpeg-sound-subtitles.mp4", made("s.mp4", *FILM, *SOUND, "-i", temporary("s.srt", "1\n00:00:00,000 --> 00:00:00,300\nHello\n"), "-map", "0", "-map", "1", "-map", "2", *h264, "-c:a", "aac", "-c:s", "mov_text"), "debian:ffmpeg", "picture, sound and subtitles")
    put("mov/ffmpeg.mov", "H.264 in QuickTime", *h264)
    put("mov/ffmpeg-mjpeg.mov", "motion JPEG, as old cameras", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p")
    put("mov/ffmpeg-iphone.mov", "HEVC with Apple's tags", "-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1", "-pix_fmt", "yuv420p", "-metadata", "com.apple.quicktime.make=Apple", "-movflags", "use_metadata_tags")
    put("webm/ffmpeg-vp8.webm", "VP8", "-c:v", "libvpx", "-b:v", "50k")
    put("webm/ffmpeg-vp9.webm", "VP9", "-c:v", "libvpx-vp9", "-b:v", "50k")
    put("webm/ffmpeg-live.webm", "of unknown length, as MediaRecorder writes", "-c:v", "libvpx", "-b:v", "50k", "-live", "1")
    group.put("webm/ffmpeg-opus.webm", made("o.webm", *SOUND, "-c:a", "libopus", "-b:a", "16k"), "debian:ffmpeg", "sound alone, as MediaRecorder writes")
    put("mkv/ffmpeg.mkv", "H.264 in Matroska", *h264)
    put("mkv/ffmpeg-tags.mkv", "tags, chapters, cues first", *h264, "-cues_to_front", "1", "-reserve_index_space", "1000", "-metadata", "title=Lake")
    group.put("mkv/ffmpeg-sound.mka", made("s.mka", *SOUND, "-c:a", "flac", "-f", "matroska"), "debian:ffmpeg", "sound alone")
    run("mkvmerge", "-q", "-o", temporary("m.mkv"), temporary("h.mp4", made("h.mp4", *FILM, *h264)))
    group.put("mkv/mkvmerge.mkv", temporary("m.mkv"), "debian:mkvtoolnix", "mkvmerge")
    run("mkvmerge", "-q", "-w", "-o", temporary("m.webm"), temporary("v.webm", made("v.webm", *FILM, "-c:v", "libvpx")))
    group.put("webm/mkvmerge.webm", temporary("m.webm"), "debian:mkvtoolnix", "mkvmerge -w")
    put("ogg/ffmpeg-theora.ogv", "Theora", "-c:v", "libtheora", "-q:v", "3")


ALL = [sounds, films]
